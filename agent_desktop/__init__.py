"""Agent Desktop (坐席桌面): the window a collector, QA reviewer or team lead works in."""
