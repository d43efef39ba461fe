"""Line processes under attack, each ended in order when its test is."""

from tests.line.conftest import line as line
from tests.line.conftest import line_process as line_process
