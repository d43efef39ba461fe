<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en">
 <context>
  <name>Answering</name>
  <message>
   <source>After {n} s, with a tone</source>
   <translation>{n} 秒后接通，有提示音</translation>
  </message>
  <message>
   <source>At once, with a tone</source>
   <translation>立即接通，有提示音</translation>
  </message>
  <message>
   <source>Auto-answer</source>
   <translation>自动接听</translation>
  </message>
  <message>
   <source>Auto-answer · {n} s ✕</source>
   <translation>自动接听 · {n} 秒 ✕</translation>
  </message>
  <message>
   <source>Auto-answer ✕</source>
   <translation>自动接听 ✕</translation>
  </message>
  <message>
   <source>Calls are answered by themselves, with a tone. Click to stop.</source>
   <translation>来电会自动接通并有提示音，点击关闭。</translation>
  </message>
  <message>
   <source>Calls that come in are refused and noted as missed. Click to be reached again.</source>
   <translation>来电会被拒接并记为未接，点击恢复接听。</translation>
  </message>
  <message>
   <source>Do not disturb</source>
   <translation>免打扰</translation>
  </message>
  <message>
   <source>Do not disturb ✕</source>
   <translation>免打扰 ✕</translation>
  </message>
  <message>
   <source>Off</source>
   <translation>关闭</translation>
  </message>
 </context>
 <context>
  <name>CallPanel</name>
  <message>
   <source>Answer</source>
   <translation>接听</translation>
  </message>
  <message>
   <source>Answered by itself</source>
   <translation>自动接听</translation>
  </message>
  <message>
   <source>Ask first</source>
   <translation>先咨询</translation>
  </message>
  <message>
   <source>At once</source>
   <translation>直接转接</translation>
  </message>
  <message>
   <source>Busy</source>
   <translation>占线</translation>
  </message>
  <message>
   <source>Cancel</source>
   <translation>取消咨询</translation>
  </message>
  <message>
   <source>Complete transfer</source>
   <translation>完成转接</translation>
  </message>
  <message>
   <source>Conference</source>
   <translation>三方会议</translation>
  </message>
  <message>
   <source>Connect both</source>
   <translation>接通双方</translation>
  </message>
  <message>
   <source>Decline</source>
   <translation>拒接</translation>
  </message>
  <message>
   <source>Dial</source>
   <translation>拨打</translation>
  </message>
  <message>
   <source>Dial a number    Ctrl D</source>
   <translation>输入号码拨打    Ctrl D</translation>
  </message>
  <message>
   <source>Dialling…</source>
   <translation>正在拨号…</translation>
  </message>
  <message>
   <source>Encrypted</source>
   <translation>已加密</translation>
  </message>
  <message>
   <source>Ended: {cause}</source>
   <translation>已结束：{cause}</translation>
  </message>
  <message>
   <source>Extension {number}</source>
   <translation>内线 {number}</translation>
  </message>
  <message>
   <source>First free line</source>
   <translation>自动选择可用线路</translation>
  </message>
  <message>
   <source>Hang up</source>
   <translation>挂断</translation>
  </message>
  <message>
   <source>Hold</source>
   <translation>保持</translation>
  </message>
  <message>
   <source>Hold and answer</source>
   <translation>保持并接听</translation>
  </message>
  <message>
   <source>Incoming call</source>
   <translation>来电</translation>
  </message>
  <message>
   <source>It rings at {target}…</source>
   <translation>{target} 振铃中…</translation>
  </message>
  <message>
   <source>Keypad</source>
   <translation>键盘</translation>
  </message>
  <message>
   <source>Let them talk</source>
   <translation>让双方通话</translation>
  </message>
  <message>
   <source>Level of my side</source>
   <translation>我方音量</translation>
  </message>
  <message>
   <source>Level of the other side</source>
   <translation>对方音量</translation>
  </message>
  <message>
   <source>Line to dial on</source>
   <translation>拨号线路</translation>
  </message>
  <message>
   <source>Line: {name} ▾</source>
   <translation>线路：{name} ▾</translation>
  </message>
  <message>
   <source>Me</source>
   <translation>我</translation>
  </message>
  <message>
   <source>Mute</source>
   <translation>静音</translation>
  </message>
  <message>
   <source>Muted</source>
   <translation>已静音</translation>
  </message>
  <message>
   <source>No call</source>
   <translation>无通话</translation>
  </message>
  <message>
   <source>Not a complete number yet</source>
   <translation>号码尚不完整</translation>
  </message>
  <message>
   <source>Not transferred: {reason}. The call goes on.</source>
   <translation>未能转接：{reason}。通话继续。</translation>
  </message>
  <message>
   <source>Nothing is heard from the other side.</source>
   <translation>对方无声。</translation>
  </message>
  <message>
   <source>Number or extension</source>
   <translation>号码或同事分机</translation>
  </message>
  <message>
   <source>Number to dial</source>
   <translation>要拨打的号码</translation>
  </message>
  <message>
   <source>On hold from both sides</source>
   <translation>双方均已保持</translation>
  </message>
  <message>
   <source>Or choose a contact and press F2: the call is put on hold and they are dialled.</source>
   <translation>也可选中联系人按 F2：当前通话保持，先拨给对方。</translation>
  </message>
  <message>
   <source>Other side</source>
   <translation>对方</translation>
  </message>
  <message>
   <source>Part</source>
   <translation>拆分会议</translation>
  </message>
  <message>
   <source>Recorded · two channels · sealed to {time}</source>
   <translation>已录音 · 双声道 · 已封存至 {time}</translation>
  </message>
  <message>
   <source>Recording sealed · {time}</source>
   <translation>录音已封存 · {time}</translation>
  </message>
  <message>
   <source>Recording · two channels · sealed to {time}</source>
   <translation>录音中 · 双声道 · 已封存至 {time}</translation>
  </message>
  <message>
   <source>Redial {number}</source>
   <translation>重拨 {number}</translation>
  </message>
  <message>
   <source>Ringing…</source>
   <translation>正在振铃…</translation>
  </message>
  <message>
   <source>See case</source>
   <translation>查看案件</translation>
  </message>
  <message>
   <source>Send extension {extension}</source>
   <translation>发送分机 {extension}</translation>
  </message>
  <message>
   <source>Several cases</source>
   <translation>多个案件</translation>
  </message>
  <message>
   <source>Switch</source>
   <translation>切换</translation>
  </message>
  <message>
   <source>The caller hears that the call was declined</source>
   <translation>来电方会得知被拒接</translation>
  </message>
  <message>
   <source>The caller hears that you are busy</source>
   <translation>来电方会听到忙音</translation>
  </message>
  <message>
   <source>The disk is full: the recording has stopped.</source>
   <translation>磁盘已满，录音已停止。</translation>
  </message>
  <message>
   <source>The disk is nearly full: free some space now.</source>
   <translation>磁盘将满，请立即清理空间。</translation>
  </message>
  <message>
   <source>The other side put you on hold</source>
   <translation>对方已将您保持</translation>
  </message>
  <message>
   <source>The recording cannot be written to the disk.</source>
   <translation>录音无法写入磁盘。</translation>
  </message>
  <message>
   <source>The recording has a problem.</source>
   <translation>录音出现问题。</translation>
  </message>
  <message>
   <source>This call is not being recorded</source>
   <translation>此通话未录音</translation>
  </message>
  <message>
   <source>Tones: type or click</source>
   <translation>按键或点击发送</translation>
  </message>
  <message>
   <source>Transfer</source>
   <translation>转接</translation>
  </message>
  <message>
   <source>Transferred here by {who}</source>
   <translation>由 {who} 转来</translation>
  </message>
  <message>
   <source>Transferred to {target}</source>
   <translation>已转接到 {target}</translation>
  </message>
  <message>
   <source>Transferring to {target}…</source>
   <translation>正在转接到 {target}…</translation>
  </message>
  <message>
   <source>Unknown number</source>
   <translation>未知号码</translation>
  </message>
  <message>
   <source>Waiting: {who}</source>
   <translation>来电等待：{who}</translation>
  </message>
  <message>
   <source>Whom to transfer to</source>
   <translation>转接对象</translation>
  </message>
  <message>
   <source>You put it on hold</source>
   <translation>我方保持</translation>
  </message>
  <message>
   <source>Your side is silent: check the microphone.</source>
   <translation>我方无声，请检查麦克风。</translation>
  </message>
  <message>
   <source>automatic</source>
   <translation>自动</translation>
  </message>
  <message>
   <source>busy</source>
   <translation>对方占线</translation>
  </message>
  <message>
   <source>declined</source>
   <translation>对方拒接</translation>
  </message>
  <message>
   <source>no answer</source>
   <translation>无人接听</translation>
  </message>
  <message>
   <source>no answer to the request</source>
   <translation>对端无应答</translation>
  </message>
  <message>
   <source>no such number</source>
   <translation>空号</translation>
  </message>
  <message>
   <source>the other side answered {code}</source>
   <translation>对端应答 {code}</translation>
  </message>
  <message>
   <source>{number} ext. {extension}</source>
   <translation>{number} 转 {extension}</translation>
  </message>
  <message>
   <source>{n} cases</source>
   <translation>{n} 个案件</translation>
  </message>
 </context>
 <context>
  <name>Case</name>
  <message>
   <source>Choose one in the queue, or press F6.</source>
   <translation>请在队列中选择，或按 F6。</translation>
  </message>
  <message>
   <source>F</source>
   <translation>女</translation>
  </message>
  <message>
   <source>Linked {n}</source>
   <translation>共案 {n}</translation>
  </message>
  <message>
   <source>M</source>
   <translation>男</translation>
  </message>
  <message>
   <source>Minimum due</source>
   <translation>最低还款</translation>
  </message>
  <message>
   <source>No case is open</source>
   <translation>未打开案件</translation>
  </message>
  <message>
   <source>Open promise</source>
   <translation>未履约承诺</translation>
  </message>
  <message>
   <source>Paid (batch)</source>
   <translation>已还(本批)</translation>
  </message>
  <message>
   <source>Principal</source>
   <translation>本金</translation>
  </message>
  <message>
   <source>Relief</source>
   <translation>减免政策</translation>
  </message>
  <message>
   <source>Total owed</source>
   <translation>欠款总额</translation>
  </message>
  <message>
   <source>back in {days} days</source>
   <translation>{days} 天后退案</translation>
  </message>
  <message>
   <source>due back today</source>
   <translation>今天退案</translation>
  </message>
  <message>
   <source>was due back {day}</source>
   <translation>应于 {day} 退案</translation>
  </message>
  <message>
   <source>{n} y</source>
   <translation>{n} 岁</translation>
  </message>
  <message>
   <source>{stage} {days} days</source>
   <translation>{stage} {days} 天</translation>
  </message>
 </context>
 <context>
  <name>Contacts</name>
  <message>
   <source>3rd party</source>
   <translation>第三方</translation>
  </message>
  <message>
   <source>Contacts</source>
   <translation>联系人</translation>
  </message>
  <message>
   <source>Contacts {n}</source>
   <translation>联系人 {n}</translation>
  </message>
  <message>
   <source>Hang up</source>
   <translation>挂断</translation>
  </message>
  <message>
   <source>Home</source>
   <translation>归属地</translation>
  </message>
  <message>
   <source>Mark as: {state}</source>
   <translation>标记为：{state}</translation>
  </message>
  <message>
   <source>Not callable</source>
   <translation>不可拨打</translation>
  </message>
  <message>
   <source>Number</source>
   <translation>号码</translation>
  </message>
  <message>
   <source>Relation</source>
   <translation>关系</translation>
  </message>
  <message>
   <source>Source</source>
   <translation>来源</translation>
  </message>
  <message>
   <source>State</source>
   <translation>状态</translation>
  </message>
  <message>
   <source>Today / last result</source>
   <translation>今日 / 上次结果</translation>
  </message>
  <message>
   <source>click or Enter to dial</source>
   <translation>点击拨号</translation>
  </message>
  <message>
   <source>on a call</source>
   <translation>通话中</translation>
  </message>
  <message>
   <source>ringing</source>
   <translation>振铃中</translation>
  </message>
  <message>
   <source>{n}×</source>
   <translation>{n} 次</translation>
  </message>
  <message>
   <source>☎ Dial</source>
   <translation>☎ 拨打</translation>
  </message>
 </context>
 <context>
  <name>Format</name>
  <message>
   <source>Today {time}</source>
   <translation>今天 {time}</translation>
  </message>
  <message>
   <source>Tomorrow {time}</source>
   <translation>明天 {time}</translation>
  </message>
  <message>
   <source>today</source>
   <translation>今天</translation>
  </message>
  <message>
   <source>tomorrow</source>
   <translation>明天</translation>
  </message>
 </context>
 <context>
  <name>HintCard</name>
  <message>
   <source>Got it</source>
   <translation>知道了</translation>
  </message>
 </context>
 <context>
  <name>Lead</name>
  <message>
   <source>A seat appears here as soon as its collector signs in.</source>
   <translation>催收员登录后，坐席即显示在这里。</translation>
  </message>
  <message>
   <source>Agent</source>
   <translation>坐席</translation>
  </message>
  <message>
   <source>Agent silent</source>
   <translation>坐席无声</translation>
  </message>
  <message>
   <source>Agent, case, client…  Ctrl+K</source>
   <translation>坐席、案件、委托方…  Ctrl+K</translation>
  </message>
  <message>
   <source>All</source>
   <translation>全部</translation>
  </message>
  <message>
   <source>Arrow keys move through the seats.</source>
   <translation>方向键浏览坐席。</translation>
  </message>
  <message>
   <source>Asking for permission…</source>
   <translation>正在申请授权…</translation>
  </message>
  <message>
   <source>Asking for the seats…</source>
   <translation>正在获取坐席…</translation>
  </message>
  <message>
   <source>Authorised and logged · since {time}</source>
   <translation>已授权并记入日志 · {time} 起</translation>
  </message>
  <message>
   <source>Cannot write recording</source>
   <translation>录音无法写入</translation>
  </message>
  <message>
   <source>Choose a seat</source>
   <translation>请选择坐席</translation>
  </message>
  <message>
   <source>Connecting…</source>
   <translation>正在接入…</translation>
  </message>
  <message>
   <source>Current case</source>
   <translation>当前案件</translation>
  </message>
  <message>
   <source>Disk full</source>
   <translation>磁盘已满</translation>
  </message>
  <message>
   <source>Disk nearly full</source>
   <translation>磁盘将满</translation>
  </message>
  <message>
   <source>Each listening needs the server's permission and is logged.</source>
   <translation>每次监听须经服务器授权，并记入日志。</translation>
  </message>
  <message>
   <source>Handled</source>
   <translation>处理</translation>
  </message>
  <message>
   <source>Handled today</source>
   <translation>今日处理</translation>
  </message>
  <message>
   <source>Heard</source>
   <translation>声音</translation>
  </message>
  <message>
   <source>Level of what is heard</source>
   <translation>监听音量</translation>
  </message>
  <message>
   <source>Line</source>
   <translation>线路</translation>
  </message>
  <message>
   <source>Line away</source>
   <translation>线路程序断开</translation>
  </message>
  <message>
   <source>Line failed</source>
   <translation>线路故障</translation>
  </message>
  <message>
   <source>Listen</source>
   <translation>监听</translation>
  </message>
  <message>
   <source>Listening</source>
   <translation>监听中</translation>
  </message>
  <message>
   <source>Listening to {name}</source>
   <translation>正在监听 {name}</translation>
  </message>
  <message>
   <source>Needs attention</source>
   <translation>告警</translation>
  </message>
  <message>
   <source>No line</source>
   <translation>无线路</translation>
  </message>
  <message>
   <source>No problem at any seat.</source>
   <translation>所有坐席正常。</translation>
  </message>
  <message>
   <source>No seat meets these conditions.</source>
   <translation>没有符合条件的坐席。</translation>
  </message>
  <message>
   <source>No seats yet</source>
   <translation>暂无坐席</translation>
  </message>
  <message>
   <source>Not recorded</source>
   <translation>未录音</translation>
  </message>
  <message>
   <source>Not signed in</source>
   <translation>未登录</translation>
  </message>
  <message>
   <source>Not signed in: there is nothing to listen to.</source>
   <translation>该坐席未登录，没有可监听的内容。</translation>
  </message>
  <message>
   <source>On a call</source>
   <translation>通话中</translation>
  </message>
  <message>
   <source>On demand, not recorded</source>
   <translation>按需录音，未录</translation>
  </message>
  <message>
   <source>Other side silent</source>
   <translation>对方无声</translation>
  </message>
  <message>
   <source>Problem</source>
   <translation>告警</translation>
  </message>
  <message>
   <source>Promises</source>
   <translation>承诺</translation>
  </message>
  <message>
   <source>Ready</source>
   <translation>就绪</translation>
  </message>
  <message>
   <source>Recording</source>
   <translation>录音</translation>
  </message>
  <message>
   <source>Recording paused</source>
   <translation>录音已暂停</translation>
  </message>
  <message>
   <source>Recording problem</source>
   <translation>录音异常</translation>
  </message>
  <message>
   <source>Recordings not uploaded</source>
   <translation>录音未能上传</translation>
  </message>
  <message>
   <source>Registered</source>
   <translation>已注册</translation>
  </message>
  <message>
   <source>Registering…</source>
   <translation>注册中…</translation>
  </message>
  <message>
   <source>Search seats</source>
   <translation>搜索坐席</translation>
  </message>
  <message>
   <source>Seats</source>
   <translation>坐席</translation>
  </message>
  <message>
   <source>Seats online</source>
   <translation>在线坐席</translation>
  </message>
  <message>
   <source>Stage</source>
   <translation>阶段</translation>
  </message>
  <message>
   <source>State</source>
   <translation>状态</translation>
  </message>
  <message>
   <source>Stop</source>
   <translation>停止</translation>
  </message>
  <message>
   <source>Talk, min</source>
   <translation>通话（分）</translation>
  </message>
  <message>
   <source>Talk, minutes</source>
   <translation>有效通话（分）</translation>
  </message>
  <message>
   <source>The agent's line could not be reached.</source>
   <translation>无法接通坐席线路。</translation>
  </message>
  <message>
   <source>The agent's line ended the listening.</source>
   <translation>坐席线路结束了监听。</translation>
  </message>
  <message>
   <source>The agent's line took no listening leg. Try again in a moment.</source>
   <translation>坐席线路暂不接受监听，请稍后重试。</translation>
  </message>
  <message>
   <source>This seat is offline: there is nothing to listen to.</source>
   <translation>该坐席离线，无法监听。</translation>
  </message>
  <message>
   <source>Time</source>
   <translation>时长</translation>
  </message>
  <message>
   <source>Two channels</source>
   <translation>双声道</translation>
  </message>
  <message>
   <source>What is shown may be out of date.</source>
   <translation>显示的内容可能不是最新。</translation>
  </message>
  <message>
   <source>With a problem</source>
   <translation>有告警</translation>
  </message>
  <message>
   <source>all here</source>
   <translation>全部在线</translation>
  </message>
  <message>
   <source>longest {time}</source>
   <translation>最长 {time}</translation>
  </message>
  <message>
   <source>no calls now</source>
   <translation>当前无通话</translation>
  </message>
  <message>
   <source>{count} a seat</source>
   <translation>人均 {count}</translation>
  </message>
  <message>
   <source>{count} offline</source>
   <translation>{count} 人离线</translation>
  </message>
  <message>
   <source>{good} of {all} calls healthy</source>
   <translation>{all} 路中 {good} 路正常</translation>
  </message>
 </context>
 <context>
  <name>Leave</name>
  <message>
   <source>A call is up, and closing hangs it up. What was recorded is safe on this seat.</source>
   <translation>正在通话，关闭窗口会挂断通话；已录的内容安全保存在本机。</translation>
  </message>
  <message>
   <source>A call is up, and signing out hangs it up. What was recorded is safe on this seat.</source>
   <translation>正在通话，退出登录会挂断通话；已录的内容安全保存在本机。</translation>
  </message>
  <message>
   <source>Hang up and close</source>
   <translation>挂断并关闭</translation>
  </message>
  <message>
   <source>Hang up and sign out</source>
   <translation>挂断并退出登录</translation>
  </message>
  <message>
   <source>Stay on the call</source>
   <translation>继续通话</translation>
  </message>
 </context>
 <context>
  <name>Lines</name>
  <message>
   <source>Back-up registrar</source>
   <translation>备用注册服务器</translation>
  </message>
  <message>
   <source>Certificate expired</source>
   <translation>证书已过期</translation>
  </message>
  <message>
   <source>Certificate not trusted</source>
   <translation>证书不受信任</translation>
  </message>
  <message>
   <source>Certificate of another name</source>
   <translation>证书名称不符</translation>
  </message>
  <message>
   <source>Connecting…</source>
   <translation>连接中…</translation>
  </message>
  <message>
   <source>Failed</source>
   <translation>故障</translation>
  </message>
  <message>
   <source>Forbidden</source>
   <translation>无使用权限</translation>
  </message>
  <message>
   <source>Lines of this seat</source>
   <translation>本席线路</translation>
  </message>
  <message>
   <source>Locked</source>
   <translation>已锁定</translation>
  </message>
  <message>
   <source>No encrypted connection to the registrar could be made. Tell your administrator.</source>
   <translation>无法与注册服务器建立加密连接，请告知管理员。</translation>
  </message>
  <message>
   <source>No network</source>
   <translation>无网络</translation>
  </message>
  <message>
   <source>Ready</source>
   <translation>就绪</translation>
  </message>
  <message>
   <source>Refused</source>
   <translation>被拒绝</translation>
  </message>
  <message>
   <source>Registered</source>
   <translation>已注册</translation>
  </message>
  <message>
   <source>Registrar error</source>
   <translation>注册服务器出错</translation>
  </message>
  <message>
   <source>Restarting…</source>
   <translation>正在重启…</translation>
  </message>
  <message>
   <source>Switched off</source>
   <translation>已停用</translation>
  </message>
  <message>
   <source>TLS failed</source>
   <translation>TLS 连接失败</translation>
  </message>
  <message>
   <source>The line could not be registered.</source>
   <translation>线路无法注册。</translation>
  </message>
  <message>
   <source>The line is locked after too many attempts. Ask your administrator.</source>
   <translation>尝试次数过多，线路已锁定，请联系管理员。</translation>
  </message>
  <message>
   <source>The line program is being restarted. What was recorded is safe on this seat.</source>
   <translation>线路程序正在重新启动，已录的内容安全保存在本机。</translation>
  </message>
  <message>
   <source>The main registrar does not answer; calls go through the back-up. It changes back by itself.</source>
   <translation>主注册服务器无应答，通话经备用服务器；恢复后自动切回。</translation>
  </message>
  <message>
   <source>The registrar does not answer. Check the network; it is tried again by itself.</source>
   <translation>注册服务器无应答，请检查网络，会自动重试。</translation>
  </message>
  <message>
   <source>The registrar does not know this extension. Ask your administrator.</source>
   <translation>注册服务器上没有此分机，请联系管理员。</translation>
  </message>
  <message>
   <source>The registrar does not let this seat use the line. Ask your administrator.</source>
   <translation>注册服务器不允许本席使用此线路，请联系管理员。</translation>
  </message>
  <message>
   <source>The registrar has an error of its own. It is tried again by itself.</source>
   <translation>注册服务器自身出错，会自动重试。</translation>
  </message>
  <message>
   <source>The registrar refuses the line. Ask your administrator.</source>
   <translation>注册服务器拒绝了此线路，请联系管理员。</translation>
  </message>
  <message>
   <source>The registrar refuses the password. Ask your administrator to set it again.</source>
   <translation>注册服务器拒绝了密码，请管理员重新设置。</translation>
  </message>
  <message>
   <source>The registrar's certificate has expired. Tell your administrator.</source>
   <translation>注册服务器的证书已过期，请告知管理员。</translation>
  </message>
  <message>
   <source>The registrar's certificate is another host's, so nothing was sent. Tell your administrator.</source>
   <translation>注册服务器的证书属于其他主机，未发送任何数据，请告知管理员。</translation>
  </message>
  <message>
   <source>The registrar's certificate is not trusted, so nothing was sent. Tell your administrator.</source>
   <translation>注册服务器的证书不受信任，未发送任何数据，请告知管理员。</translation>
  </message>
  <message>
   <source>This computer has no network. Check the cable or the Wi-Fi.</source>
   <translation>本机没有网络，请检查网线或无线网络。</translation>
  </message>
  <message>
   <source>Unknown extension</source>
   <translation>分机不存在</translation>
  </message>
  <message>
   <source>Unreachable</source>
   <translation>无法连接</translation>
  </message>
  <message>
   <source>Wrong password</source>
   <translation>密码错误</translation>
  </message>
  <message>
   <source>{sentence} (Answer {code})</source>
   <translation>{sentence}（应答 {code}）</translation>
  </message>
 </context>
 <context>
  <name>Match</name>
  <message>
   <source>Find the case of this call</source>
   <translation>查找此通话的案件</translation>
  </message>
  <message>
   <source>Name or case no.</source>
   <translation>姓名或案件号</translation>
  </message>
  <message>
   <source>No case found</source>
   <translation>未找到案件</translation>
  </message>
  <message>
   <source>This number belongs to no case here. Find the case it is about:</source>
   <translation>此号码不属于任何案件，请查找并关联：</translation>
  </message>
  <message>
   <source>This number belongs to several cases. Which one is it?</source>
   <translation>此号码属于多个案件，请选择：</translation>
  </message>
 </context>
 <context>
  <name>Menu</name>
  <message>
   <source>As the system</source>
   <translation>跟随系统</translation>
  </message>
  <message>
   <source>Dark</source>
   <translation>深色</translation>
  </message>
  <message>
   <source>Language</source>
   <translation>语言</translation>
  </message>
  <message>
   <source>Light</source>
   <translation>浅色</translation>
  </message>
  <message>
   <source>Open window: {role}</source>
   <translation>打开窗口：{role}</translation>
  </message>
  <message>
   <source>Sign out</source>
   <translation>退出登录</translation>
  </message>
  <message>
   <source>Sound…</source>
   <translation>声音设备…</translation>
  </message>
  <message>
   <source>Theme</source>
   <translation>主题</translation>
  </message>
 </context>
 <context>
  <name>Notice</name>
  <message>
   <source>Try again</source>
   <translation>重试</translation>
  </message>
 </context>
 <context>
  <name>OtherCall</name>
  <message>
   <source>Hang up</source>
   <translation>挂断此方</translation>
  </message>
 </context>
 <context>
  <name>Places</name>
  <message>
   <source>emergency number</source>
   <translation>紧急号码</translation>
  </message>
  <message>
   <source>extension</source>
   <translation>内线分机</translation>
  </message>
  <message>
   <source>international</source>
   <translation>国际号码</translation>
  </message>
  <message>
   <source>landline</source>
   <translation>固话</translation>
  </message>
  <message>
   <source>mobile</source>
   <translation>手机</translation>
  </message>
  <message>
   <source>premium-rate number</source>
   <translation>高资费号码</translation>
  </message>
  <message>
   <source>service number</source>
   <translation>服务号码</translation>
  </message>
 </context>
 <context>
  <name>Problems</name>
  <message>
   <source>Login or password is wrong.</source>
   <translation>账号或密码不正确。</translation>
  </message>
  <message>
   <source>No further call can be made now: end one first.</source>
   <translation>目前无法再增加通话，请先结束一个。</translation>
  </message>
  <message>
   <source>Nobody is signed in at this seat, or its line cannot be called now.</source>
   <translation>该坐席未登录，或其线路目前无法呼叫。</translation>
  </message>
  <message>
   <source>Numbers of this kind may not be dialled on this line.</source>
   <translation>此线路不允许拨打此类号码。</translation>
  </message>
  <message>
   <source>Something unexpected went wrong. It has been logged.</source>
   <translation>发生意外错误，已记入日志。</translation>
  </message>
  <message>
   <source>The agent's line refused the permission to listen.</source>
   <translation>坐席线路拒绝了监听授权。</translation>
  </message>
  <message>
   <source>The call's record cannot be kept on this seat, so nothing was done. Check the disk.</source>
   <translation>本坐席无法保存通话记录，操作未执行，请检查磁盘。</translation>
  </message>
  <message>
   <source>The configuration file has an error. Ask your administrator.</source>
   <translation>配置文件有误，请联系管理员。</translation>
  </message>
  <message>
   <source>The disk is full. Free some space now: recordings need it.</source>
   <translation>磁盘已满，请立即清理空间，录音需要使用。</translation>
  </message>
  <message>
   <source>The headset is not there. Plug it in or choose another.</source>
   <translation>未找到耳机，请插入或另选一个。</translation>
  </message>
  <message>
   <source>The headset is used by another program.</source>
   <translation>耳机正被其他程序占用。</translation>
  </message>
  <message>
   <source>The line is not registered, so no call can be made now.</source>
   <translation>线路未注册，暂时无法通话。</translation>
  </message>
  <message>
   <source>The line program is not running. It is being started again.</source>
   <translation>线路程序未运行，正在重新启动。</translation>
  </message>
  <message>
   <source>The local data cannot be unlocked with this key or passphrase.</source>
   <translation>无法用此密钥或口令解锁本机数据。</translation>
  </message>
  <message>
   <source>The local data is damaged. Ask your administrator before you go on.</source>
   <translation>本机数据已损坏，请先联系管理员。</translation>
  </message>
  <message>
   <source>The server cannot be reached. Check the network, then try again.</source>
   <translation>无法连接服务器，请检查网络后重试。</translation>
  </message>
  <message>
   <source>The server did not accept this.</source>
   <translation>服务器未接受此操作。</translation>
  </message>
  <message>
   <source>The server had an error. Try again in a moment.</source>
   <translation>服务器出错，请稍后重试。</translation>
  </message>
  <message>
   <source>The server's certificate is not trusted, so nothing was sent.</source>
   <translation>服务器证书不受信任，未发送任何数据。</translation>
  </message>
  <message>
   <source>This call has ended.</source>
   <translation>此通话已结束。</translation>
  </message>
  <message>
   <source>This call is not being recorded just now.</source>
   <translation>此通话当前未在录音。</translation>
  </message>
  <message>
   <source>This cannot be done as the call stands now.</source>
   <translation>通话当前状态下无法执行此操作。</translation>
  </message>
  <message>
   <source>This contact must not be called.</source>
   <translation>此联系人禁止拨打。</translation>
  </message>
  <message>
   <source>This is no longer here. It may have been moved or closed.</source>
   <translation>此项已不在此处，可能已被调换或结案。</translation>
  </message>
  <message>
   <source>This is not a number that can be dialled.</source>
   <translation>此号码无法拨打。</translation>
  </message>
  <message>
   <source>This recording is damaged and cannot be played.</source>
   <translation>此录音已损坏，无法播放。</translation>
  </message>
  <message>
   <source>You have been signed out. Sign in again; nothing is lost.</source>
   <translation>您已被登出，请重新登录，数据不会丢失。</translation>
  </message>
  <message>
   <source>Your account may not do this.</source>
   <translation>您的账号没有此权限。</translation>
  </message>
  <message>
   <source>Your company's rules for recording do not allow this.</source>
   <translation>公司的录音规定不允许此操作。</translation>
  </message>
 </context>
 <context>
  <name>Qa</name>
  <message>
   <source>+5 s</source>
   <translation>+5 秒</translation>
  </message>
  <message>
   <source>1 recording</source>
   <translation>1 条录音</translation>
  </message>
  <message>
   <source>&gt; 5 min</source>
   <translation>&gt; 5 分钟</translation>
  </message>
  <message>
   <source>Agent</source>
   <translation>坐席</translation>
  </message>
  <message>
   <source>Agent, case, name, number…  Ctrl+K</source>
   <translation>坐席、案件、姓名、号码…  Ctrl+K</translation>
  </message>
  <message>
   <source>Arrow keys move through the list; Enter or a click opens a recording.</source>
   <translation>方向键浏览列表，回车或单击打开录音。</translation>
  </message>
  <message>
   <source>Back 5 seconds</source>
   <translation>后退 5 秒</translation>
  </message>
  <message>
   <source>Choose a recording</source>
   <translation>请选择一条录音</translation>
  </message>
  <message>
   <source>Complaint</source>
   <translation>投诉</translation>
  </message>
  <message>
   <source>Debtor</source>
   <translation>对方</translation>
  </message>
  <message>
   <source>Drag over the waveform to loop a passage; Esc ends it</source>
   <translation>在波形上拖动可循环播放片段，Esc 结束</translation>
  </message>
  <message>
   <source>Every replay and export is logged</source>
   <translation>每次回放和导出均有记录</translation>
  </message>
  <message>
   <source>Exported</source>
   <translation>导出</translation>
  </message>
  <message>
   <source>Fetching the recording…</source>
   <translation>正在调取录音…</translation>
  </message>
  <message>
   <source>Forward 5 seconds</source>
   <translation>前进 5 秒</translation>
  </message>
  <message>
   <source>Gain of {side}</source>
   <translation>增益：{side}</translation>
  </message>
  <message>
   <source>Hear only {side}</source>
   <translation>只听：{side}</translation>
  </message>
  <message>
   <source>Jump over silences of more than 1.5 s: K</source>
   <translation>跳过 1.5 秒以上的静音：K</translation>
  </message>
  <message>
   <source>Looking for recordings…</source>
   <translation>正在查找录音…</translation>
  </message>
  <message>
   <source>Loop {start}–{end}  ✕</source>
   <translation>循环 {start}–{end}  ✕</translation>
  </message>
  <message>
   <source>Mute {side}</source>
   <translation>静音：{side}</translation>
  </message>
  <message>
   <source>No recording meets these conditions.</source>
   <translation>没有符合条件的录音。</translation>
  </message>
  <message>
   <source>No recordings</source>
   <translation>暂无录音</translation>
  </message>
  <message>
   <source>No recordings today</source>
   <translation>今日暂无录音</translation>
  </message>
  <message>
   <source>Nobody has played this yet.</source>
   <translation>尚无人播放。</translation>
  </message>
  <message>
   <source>Nothing found</source>
   <translation>未找到</translation>
  </message>
  <message>
   <source>Opening a recording is logged.</source>
   <translation>打开录音会留下记录。</translation>
  </message>
  <message>
   <source>Pause</source>
   <translation>暂停</translation>
  </message>
  <message>
   <source>Play</source>
   <translation>播放</translation>
  </message>
  <message>
   <source>Press Enter to open, Space to play</source>
   <translation>按回车打开，按空格播放</translation>
  </message>
  <message>
   <source>Promise {amount}</source>
   <translation>承诺 {amount}</translation>
  </message>
  <message>
   <source>Recordings</source>
   <translation>录音</translation>
  </message>
  <message>
   <source>Recordings appear here once the store has them. Switch off “Today” to see earlier ones.</source>
   <translation>录音上传到平台后显示在这里。取消“今日”可查看更早的录音。</translation>
  </message>
  <message>
   <source>Refresh</source>
   <translation>刷新</translation>
  </message>
  <message>
   <source>Replayed</source>
   <translation>回放</translation>
  </message>
  <message>
   <source>Search recordings</source>
   <translation>搜索录音</translation>
  </message>
  <message>
   <source>Skip silence</source>
   <translation>跳过静音</translation>
  </message>
  <message>
   <source>Speed</source>
   <translation>倍速</translation>
  </message>
  <message>
   <source>Speed at the same pitch: [ slower, ] faster</source>
   <translation>变速不变调：[ 减速，] 加速</translation>
  </message>
  <message>
   <source>The newest {count}: narrow the search to see others</source>
   <translation>最新 {count} 条，缩小范围可查看其他</translation>
  </message>
  <message>
   <source>The seat stopped during the call; this was recovered from its journal and is complete up to that moment.</source>
   <translation>通话中坐席中断；此录音由日志恢复，中断前的内容完整。</translation>
  </message>
  <message>
   <source>The signature, the number and every sample are as the seat sealed them.</source>
   <translation>签名、编号和全部内容与坐席封存时一致。</translation>
  </message>
  <message>
   <source>The sound device went away. Plug it in and play again.</source>
   <translation>声音设备已断开，请插入后重新播放。</translation>
  </message>
  <message>
   <source>The store could not confirm this recording. Tell your administrator.</source>
   <translation>录音平台无法确认此录音，请告知管理员。</translation>
  </message>
  <message>
   <source>The store holds no recordings yet.</source>
   <translation>录音平台中还没有录音。</translation>
  </message>
  <message>
   <source>There is no sound device: nothing is heard. Plug one in, pause and play again.</source>
   <translation>没有声音设备，无法听到声音。请插入设备，暂停后重新播放。</translation>
  </message>
  <message>
   <source>Today</source>
   <translation>今日</translation>
  </message>
  <message>
   <source>Unknown number</source>
   <translation>未知号码</translation>
  </message>
  <message>
   <source>Who played this</source>
   <translation>播放记录</translation>
  </message>
  <message>
   <source>no. {number}</source>
   <translation>编号 {number}</translation>
  </message>
  <message>
   <source>{count} recordings</source>
   <translation>{count} 条录音</translation>
  </message>
  <message>
   <source>↺ recovered</source>
   <translation>↺ 已恢复</translation>
  </message>
  <message>
   <source>−5 s</source>
   <translation>−5 秒</translation>
  </message>
  <message>
   <source>✓ verified</source>
   <translation>✓ 已校验</translation>
  </message>
  <message>
   <source>✕ check failed</source>
   <translation>✕ 校验失败</translation>
  </message>
 </context>
 <context>
  <name>Queue</name>
  <message>
   <source>All of today's work is done.</source>
   <translation>今日作业已全部完成。</translation>
  </message>
  <message>
   <source>Call back {n}</source>
   <translation>回拨 {n}</translation>
  </message>
  <message>
   <source>Loading…</source>
   <translation>正在加载…</translation>
  </message>
  <message>
   <source>Name, number, case no.    Ctrl K</source>
   <translation>姓名、号码、案件号    Ctrl K</translation>
  </message>
  <message>
   <source>Next case</source>
   <translation>下一案</translation>
  </message>
  <message>
   <source>No case found</source>
   <translation>未找到案件</translation>
  </message>
  <message>
   <source>Nothing left here</source>
   <translation>这里没有案件了</translation>
  </message>
  <message>
   <source>Order: today's strategy</source>
   <translation>排序：今日策略</translation>
  </message>
  <message>
   <source>Promises due {n}</source>
   <translation>承诺到期 {n}</translation>
  </message>
  <message>
   <source>Search cases</source>
   <translation>搜索案件</translation>
  </message>
  <message>
   <source>Today {n}</source>
   <translation>今日 {n}</translation>
  </message>
  <message>
   <source>Today's work</source>
   <translation>今日作业</translation>
  </message>
  <message>
   <source>Try fewer letters or digits.</source>
   <translation>请减少输入的文字或数字。</translation>
  </message>
 </context>
 <context>
  <name>Recording</name>
  <message>
   <source>Card number</source>
   <translation>银行卡号</translation>
  </message>
  <message>
   <source>Free space</source>
   <translation>剩余空间</translation>
  </message>
  <message>
   <source>Identity document</source>
   <translation>证件信息</translation>
  </message>
  <message>
   <source>My side</source>
   <translation>我方</translation>
  </message>
  <message>
   <source>Not being recorded: only on demand</source>
   <translation>未在录音：按需录音</translation>
  </message>
  <message>
   <source>Nothing of this call was recorded</source>
   <translation>本次通话未录音</translation>
  </message>
  <message>
   <source>Oldest not sent</source>
   <translation>最早未上传</translation>
  </message>
  <message>
   <source>Other side</source>
   <translation>对方</translation>
  </message>
  <message>
   <source>Pause</source>
   <translation>暂停</translation>
  </message>
  <message>
   <source>Pause recording</source>
   <translation>暂停录音</translation>
  </message>
  <message>
   <source>Pause recording: silence takes the place of what is said</source>
   <translation>暂停录音：期间的通话以静音代替</translation>
  </message>
  <message>
   <source>Record</source>
   <translation>开始录音</translation>
  </message>
  <message>
   <source>Recording on this seat</source>
   <translation>本机录音</translation>
  </message>
  <message>
   <source>Recording paused</source>
   <translation>录音已暂停</translation>
  </message>
  <message>
   <source>Recording stopped · sealed to {time}</source>
   <translation>已停止录音 · 已封存至 {time}</translation>
  </message>
  <message>
   <source>Recordings here</source>
   <translation>本机录音文件</translation>
  </message>
  <message>
   <source>Records when somebody speaks · sealed to {time}</source>
   <translation>有人说话时录音 · 已封存至 {time}</translation>
  </message>
  <message>
   <source>Resume</source>
   <translation>恢复录音</translation>
  </message>
  <message>
   <source>Safe on the disk</source>
   <translation>已封存</translation>
  </message>
  <message>
   <source>Stop</source>
   <translation>停止</translation>
  </message>
  <message>
   <source>Stop recording</source>
   <translation>停止录音</translation>
  </message>
  <message>
   <source>The disk is full: no call can be recorded. Free some space now.</source>
   <translation>磁盘已满，无法录音，请立即清理空间。</translation>
  </message>
  <message>
   <source>The recordings' folder cannot be written: no call can be recorded.</source>
   <translation>录音文件夹无法写入，无法录音。</translation>
  </message>
  <message>
   <source>Then it is recorded again by itself</source>
   <translation>到时自动恢复录音</translation>
  </message>
  <message>
   <source>all sent</source>
   <translation>全部已上传</translation>
  </message>
  <message>
   <source>all sent · last at {time}</source>
   <translation>全部已上传 · 最近 {time}</translation>
  </message>
  <message>
   <source>no call</source>
   <translation>无通话</translation>
  </message>
  <message>
   <source>none waiting</source>
   <translation>无待上传</translation>
  </message>
  <message>
   <source>not known</source>
   <translation>未知</translation>
  </message>
  <message>
   <source>not recorded</source>
   <translation>未录音</translation>
  </message>
  <message>
   <source>quiet</source>
   <translation>安静</translation>
  </message>
  <message>
   <source>silent</source>
   <translation>无声</translation>
  </message>
  <message>
   <source>under 1 min</source>
   <translation>不到 1 分钟</translation>
  </message>
  <message>
   <source>up to {time}</source>
   <translation>至 {time}</translation>
  </message>
  <message>
   <source>{age}</source>
   <translation>已等待 {age}</translation>
  </message>
  <message>
   <source>{age} · overdue</source>
   <translation>已等待 {age} · 过久</translation>
  </message>
  <message>
   <source>{level} dB</source>
   <translation>{level} dB</translation>
  </message>
  <message>
   <source>{n} days</source>
   <translation>{n} 天</translation>
  </message>
  <message>
   <source>{n} h</source>
   <translation>{n} 小时</translation>
  </message>
  <message>
   <source>{n} min</source>
   <translation>{n} 分钟</translation>
  </message>
  <message>
   <source>{n} waiting</source>
   <translation>待上传 {n}</translation>
  </message>
  <message>
   <source>{n} waiting · {refused} set aside</source>
   <translation>待上传 {n} · 搁置 {refused}</translation>
  </message>
  <message>
   <source>{reason}: silence is recorded</source>
   <translation>{reason}：期间只录静音</translation>
  </message>
  <message>
   <source>{sealed} · paused</source>
   <translation>{sealed} · 已暂停</translation>
  </message>
  <message>
   <source>{size} · cannot be written</source>
   <translation>{size} · 无法写入</translation>
  </message>
  <message>
   <source>{size} · enough</source>
   <translation>{size} · 充足</translation>
  </message>
  <message>
   <source>{size} · full</source>
   <translation>{size} · 已满</translation>
  </message>
  <message>
   <source>{size} · nearly full</source>
   <translation>{size} · 即将用尽</translation>
  </message>
 </context>
 <context>
  <name>SignIn</name>
  <message>
   <source>Agent Desktop</source>
   <translation>坐席桌面</translation>
  </message>
  <message>
   <source>Agent Desktop – sign in</source>
   <translation>坐席桌面 – 登录</translation>
  </message>
  <message>
   <source>Back</source>
   <translation>返回</translation>
  </message>
  <message>
   <source>Enter your login.</source>
   <translation>请输入账号。</translation>
  </message>
  <message>
   <source>Enter your password.</source>
   <translation>请输入密码。</translation>
  </message>
  <message>
   <source>Login</source>
   <translation>账号</translation>
  </message>
  <message>
   <source>Passphrase</source>
   <translation>口令</translation>
  </message>
  <message>
   <source>Passphrase again</source>
   <translation>再次输入口令</translation>
  </message>
  <message>
   <source>Password</source>
   <translation>密码</translation>
  </message>
  <message>
   <source>Server {address}</source>
   <translation>服务器 {address}</translation>
  </message>
  <message>
   <source>Sign in</source>
   <translation>登录</translation>
  </message>
  <message>
   <source>Signing in…</source>
   <translation>正在登录…</translation>
  </message>
  <message>
   <source>The two are not the same.</source>
   <translation>两次输入不一致。</translation>
  </message>
  <message>
   <source>This computer has no keyring. Choose a passphrase for the data kept on it.</source>
   <translation>本机没有密钥环，请为本机数据设置口令。</translation>
  </message>
  <message>
   <source>This computer has no keyring. Enter the passphrase of the data kept on it.</source>
   <translation>本机没有密钥环，请输入本机数据的口令。</translation>
  </message>
  <message>
   <source>Unlock</source>
   <translation>解锁</translation>
  </message>
  <message>
   <source>Unlock this seat</source>
   <translation>解锁本机</translation>
  </message>
  <message>
   <source>Use at least {n} characters.</source>
   <translation>请至少使用 {n} 个字符。</translation>
  </message>
 </context>
 <context>
  <name>Sound</name>
  <message>
   <source>A choice takes effect at once and is kept for this seat.</source>
   <translation>选择后立即生效，并为本席保留。</translation>
  </message>
  <message>
   <source>A tone is playing on the speaker.</source>
   <translation>扬声器正在播放测试音。</translation>
  </message>
  <message>
   <source>Close</source>
   <translation>关闭</translation>
  </message>
  <message>
   <source>Hear myself</source>
   <translation>回环试听</translation>
  </message>
  <message>
   <source>In a call: a choice takes effect at once, trying must wait.</source>
   <translation>通话中：选择立即生效，测试须等通话结束。</translation>
  </message>
  <message>
   <source>In use: {device}</source>
   <translation>正在使用：{device}</translation>
  </message>
  <message>
   <source>Level of the microphone</source>
   <translation>麦克风音量</translation>
  </message>
  <message>
   <source>Line fair</source>
   <translation>线路一般</translation>
  </message>
  <message>
   <source>Line good</source>
   <translation>线路良好</translation>
  </message>
  <message>
   <source>Line poor</source>
   <translation>线路较差</translation>
  </message>
  <message>
   <source>Microphone</source>
   <translation>麦克风</translation>
  </message>
  <message>
   <source>Nothing arrives from the other side. Ask whether they hear you; if not, hang up and dial again.</source>
   <translation>收不到对方的声音（单通）。请问对方能否听到；若听不到，请挂断重拨。</translation>
  </message>
  <message>
   <source>Nothing is heard from the other side. Ask whether they are still there.</source>
   <translation>听不到对方的声音，请确认对方是否还在。</translation>
  </message>
  <message>
   <source>Ringing device</source>
   <translation>振铃设备</translation>
  </message>
  <message>
   <source>Sound</source>
   <translation>声音</translation>
  </message>
  <message>
   <source>Speak: you hear yourself half a second later.</source>
   <translation>请说话：半秒后会听到自己的声音。</translation>
  </message>
  <message>
   <source>Speaker</source>
   <translation>扬声器</translation>
  </message>
  <message>
   <source>System default</source>
   <translation>系统默认</translation>
  </message>
  <message>
   <source>Test ring</source>
   <translation>测试振铃</translation>
  </message>
  <message>
   <source>Test tone</source>
   <translation>测试音</translation>
  </message>
  <message>
   <source>The chosen headset has gone; {device} stands in until it is plugged in again.</source>
   <translation>所选耳机已断开，暂用 {device}；重新插入后自动恢复。</translation>
  </message>
  <message>
   <source>The chosen headset is not there: plug it in or choose another.</source>
   <translation>未找到所选耳机，请插入或另选一个。</translation>
  </message>
  <message>
   <source>The headset has a problem.</source>
   <translation>耳机出现问题。</translation>
  </message>
  <message>
   <source>The headset is used by another program.</source>
   <translation>耳机正被其他程序占用。</translation>
  </message>
  <message>
   <source>The headset was unplugged. Plug it in again; a call goes on meanwhile.</source>
   <translation>耳机已拔出，请重新插入；通话不会因此中断。</translation>
  </message>
  <message>
   <source>The other side is too loud and sounds distorted. Turn your speaker down.</source>
   <translation>对方音量过高、声音失真，请调低您的扬声器。</translation>
  </message>
  <message>
   <source>The ringing device is ringing.</source>
   <translation>振铃设备正在响铃。</translation>
  </message>
  <message>
   <source>The sound of this call has a problem.</source>
   <translation>此通话的声音出现问题。</translation>
  </message>
  <message>
   <source>They cannot hear you: your microphone is silent. Check the headset's mute switch and its plug.</source>
   <translation>对方听不到您：麦克风无声。请检查耳机的静音开关和插头。</translation>
  </message>
  <message>
   <source>This computer has no sound card: nothing can be heard.</source>
   <translation>本机没有声卡，无法听到声音。</translation>
  </message>
  <message>
   <source>You are too loud and sound distorted. Move the microphone a little away.</source>
   <translation>您的音量过高、声音失真，请把麦克风移远一些。</translation>
  </message>
  <message>
   <source>jitter {n} ms</source>
   <translation>抖动 {n} ms</translation>
  </message>
  <message>
   <source>loss {received} in, {sent} out</source>
   <translation>丢包 收 {received} 发 {sent}</translation>
  </message>
  <message>
   <source>no sound</source>
   <translation>无声音</translation>
  </message>
  <message>
   <source>round trip {n} ms</source>
   <translation>往返 {n} ms</translation>
  </message>
  <message>
   <source>sound files (practice)</source>
   <translation>音频文件（演练）</translation>
  </message>
  <message>
   <source>{name} (not there)</source>
   <translation>{name}（未连接）</translation>
  </message>
 </context>
 <context>
  <name>Start</name>
  <message>
   <source>Agent Desktop</source>
   <translation>坐席桌面</translation>
  </message>
  <message>
   <source>The configuration file cannot be used. Correct it and start again.</source>
   <translation>配置文件无法使用，请更正后重新启动。</translation>
  </message>
 </context>
 <context>
  <name>Status</name>
  <message>
   <source>Another program on this computer sends the recordings.</source>
   <translation>本机另一程序正在上传录音。</translation>
  </message>
  <message>
   <source>Behind by {n}</source>
   <translation>待同步 {n}</translation>
  </message>
  <message>
   <source>Calls and notes go on; they are sent when the server is back.</source>
   <translation>通话和催记照常，服务器恢复后自动同步。</translation>
  </message>
  <message>
   <source>Cannot record</source>
   <translation>无法录音</translation>
  </message>
  <message>
   <source>Disk full</source>
   <translation>磁盘已满</translation>
  </message>
  <message>
   <source>Disk nearly full</source>
   <translation>磁盘将满</translation>
  </message>
  <message>
   <source>Headset problem</source>
   <translation>耳机异常</translation>
  </message>
  <message>
   <source>Line restarting</source>
   <translation>线路程序重启中</translation>
  </message>
  <message>
   <source>Line {name}</source>
   <translation>线路 {name}</translation>
  </message>
  <message>
   <source>Line {name} connecting</source>
   <translation>线路 {name} 连接中</translation>
  </message>
  <message>
   <source>Line {name}: {reason}</source>
   <translation>线路 {name} {reason}</translation>
  </message>
  <message>
   <source>Lines {up} of {all}</source>
   <translation>线路 {up} / {all}</translation>
  </message>
  <message>
   <source>Not recorded</source>
   <translation>未录音</translation>
  </message>
  <message>
   <source>Offline</source>
   <translation>离线</translation>
  </message>
  <message>
   <source>Offline since {time}</source>
   <translation>{time} 起离线</translation>
  </message>
  <message>
   <source>Recorder ready</source>
   <translation>录音就绪</translation>
  </message>
  <message>
   <source>Recording</source>
   <translation>录音</translation>
  </message>
  <message>
   <source>Recording paused</source>
   <translation>录音已暂停</translation>
  </message>
  <message>
   <source>Recording problem</source>
   <translation>录音异常</translation>
  </message>
  <message>
   <source>Recording · disk low</source>
   <translation>录音 · 磁盘将满</translation>
  </message>
  <message>
   <source>Recording · silent</source>
   <translation>录音 · 单侧无声</translation>
  </message>
  <message>
   <source>Recordings wait on this seat until the server is back.</source>
   <translation>录音保留在本机，等待服务器恢复。</translation>
  </message>
  <message>
   <source>Refused by the server {n}</source>
   <translation>服务器拒收 {n}</translation>
  </message>
  <message>
   <source>Sign in again; nothing is lost.</source>
   <translation>请重新登录，数据不会丢失。</translation>
  </message>
  <message>
   <source>Signed out</source>
   <translation>已登出</translation>
  </message>
  <message>
   <source>Spare headset</source>
   <translation>暂用其他耳机</translation>
  </message>
  <message>
   <source>Synced</source>
   <translation>已同步</translation>
  </message>
  <message>
   <source>The recordings' folder cannot be read.</source>
   <translation>录音文件夹无法读取。</translation>
  </message>
  <message>
   <source>The store refused a recording: it is kept here.</source>
   <translation>存储拒收了一个录音，已保留在本机。</translation>
  </message>
  <message>
   <source>The store's receipt is wrong: the recordings are kept here.</source>
   <translation>存储回执有误，录音保留在本机。</translation>
  </message>
  <message>
   <source>The upload has a problem.</source>
   <translation>上传出现问题。</translation>
  </message>
  <message>
   <source>They are kept on this seat. Tell your team lead.</source>
   <translation>已保留在本机，请告知主管。</translation>
  </message>
  <message>
   <source>Upload {n}</source>
   <translation>上传 {n}</translation>
  </message>
  <message>
   <source>back-up</source>
   <translation>备用</translation>
  </message>
  <message>
   <source>waiting {n}</source>
   <translation>待同步 {n}</translation>
  </message>
 </context>
 <context>
  <name>Terms</name>
  <message>
   <source>Administrator</source>
   <translation>系统管理员</translation>
  </message>
  <message>
   <source>Break</source>
   <translation>小休</translation>
  </message>
  <message>
   <source>Call</source>
   <translation>通话</translation>
  </message>
  <message>
   <source>Call back at {time}</source>
   <translation>约定 {time} 回拨</translation>
  </message>
  <message>
   <source>Child</source>
   <translation>子女</translation>
  </message>
  <message>
   <source>Colleague</source>
   <translation>同事</translation>
  </message>
  <message>
   <source>Collector</source>
   <translation>催收员</translation>
  </message>
  <message>
   <source>Complaint</source>
   <translation>投诉</translation>
  </message>
  <message>
   <source>Data officer</source>
   <translation>数据专员</translation>
  </message>
  <message>
   <source>Dead number</source>
   <translation>空号停机</translation>
  </message>
  <message>
   <source>Debtor</source>
   <translation>本人</translation>
  </message>
  <message>
   <source>Debtor, work</source>
   <translation>本人 单位</translation>
  </message>
  <message>
   <source>Do not call</source>
   <translation>禁止拨打</translation>
  </message>
  <message>
   <source>Friend</source>
   <translation>朋友</translation>
  </message>
  <message>
   <source>Invalid</source>
   <translation>无效</translation>
  </message>
  <message>
   <source>Last: {outcome}</source>
   <translation>上次：{outcome}</translation>
  </message>
  <message>
   <source>New case</source>
   <translation>新案</translation>
  </message>
  <message>
   <source>No answer</source>
   <translation>无人接听</translation>
  </message>
  <message>
   <source>Not contacted for {days} days</source>
   <translation>{days} 天未联系</translation>
  </message>
  <message>
   <source>Note</source>
   <translation>催记</translation>
  </message>
  <message>
   <source>Offline</source>
   <translation>离线</translation>
  </message>
  <message>
   <source>On a call</source>
   <translation>通话中</translation>
  </message>
  <message>
   <source>Original</source>
   <translation>原资</translation>
  </message>
  <message>
   <source>Parent</source>
   <translation>父母</translation>
  </message>
  <message>
   <source>Promise</source>
   <translation>承诺</translation>
  </message>
  <message>
   <source>Promise broken {amount}</source>
   <translation>承诺未履约 {amount}</translation>
  </message>
  <message>
   <source>Promise due today {amount}</source>
   <translation>承诺今日到期 {amount}</translation>
  </message>
  <message>
   <source>Promise to pay</source>
   <translation>承诺还款</translation>
  </message>
  <message>
   <source>QA</source>
   <translation>质检</translation>
  </message>
  <message>
   <source>Ready</source>
   <translation>就绪</translation>
  </message>
  <message>
   <source>Refused</source>
   <translation>拒绝还款</translation>
  </message>
  <message>
   <source>Ringing</source>
   <translation>振铃</translation>
  </message>
  <message>
   <source>Sibling</source>
   <translation>兄弟姐妹</translation>
  </message>
  <message>
   <source>Spouse</source>
   <translation>配偶</translation>
  </message>
  <message>
   <source>Team lead</source>
   <translation>主管</translation>
  </message>
  <message>
   <source>Third party</source>
   <translation>他人接听</translation>
  </message>
  <message>
   <source>Traced</source>
   <translation>调资</translation>
  </message>
  <message>
   <source>Unable to pay</source>
   <translation>无力偿还</translation>
  </message>
  <message>
   <source>Unreached</source>
   <translation>未接通</translation>
  </message>
  <message>
   <source>Valid</source>
   <translation>有效</translation>
  </message>
  <message>
   <source>Willing</source>
   <translation>有意愿</translation>
  </message>
  <message>
   <source>Wrap-up</source>
   <translation>话后</translation>
  </message>
  <message>
   <source>broken</source>
   <translation>未履约</translation>
  </message>
  <message>
   <source>busy</source>
   <translation>忙线</translation>
  </message>
  <message>
   <source>cancelled</source>
   <translation>已取消</translation>
  </message>
  <message>
   <source>declined</source>
   <translation>对方拒接</translation>
  </message>
  <message>
   <source>failed</source>
   <translation>失败</translation>
  </message>
  <message>
   <source>hung up</source>
   <translation>已挂断</translation>
  </message>
  <message>
   <source>inbound</source>
   <translation>呼入</translation>
  </message>
  <message>
   <source>kept</source>
   <translation>已履约</translation>
  </message>
  <message>
   <source>missed</source>
   <translation>未接来电</translation>
  </message>
  <message>
   <source>no answer</source>
   <translation>无人接听</translation>
  </message>
  <message>
   <source>no such number</source>
   <translation>空号</translation>
  </message>
  <message>
   <source>open</source>
   <translation>未到期</translation>
  </message>
  <message>
   <source>outbound</source>
   <translation>呼出</translation>
  </message>
  <message>
   <source>rejected</source>
   <translation>已拒接</translation>
  </message>
  <message>
   <source>the line was lost</source>
   <translation>线路中断</translation>
  </message>
  <message>
   <source>the other side hung up</source>
   <translation>对方挂断</translation>
  </message>
  <message>
   <source>transferred</source>
   <translation>已转接</translation>
  </message>
  <message>
   <source>unreachable</source>
   <translation>无法接通</translation>
  </message>
 </context>
 <context>
  <name>Timeline</name>
  <message>
   <source>All</source>
   <translation>全部</translation>
  </message>
  <message>
   <source>Calls {n}</source>
   <translation>通话 {n}</translation>
  </message>
  <message>
   <source>Notes {n}</source>
   <translation>催记 {n}</translation>
  </message>
  <message>
   <source>Nothing here yet</source>
   <translation>暂无记录</translation>
  </message>
  <message>
   <source>Promises {n}</source>
   <translation>承诺 {n}</translation>
  </message>
  <message>
   <source>Timeline</source>
   <translation>时间线</translation>
  </message>
  <message>
   <source>follow up {time}</source>
   <translation>{time} 跟进</translation>
  </message>
  <message>
   <source>{amount} by {day} · {state}</source>
   <translation>承诺 {day} 还 {amount} · {state}</translation>
  </message>
 </context>
 <context>
  <name>TopBar</name>
  <message>
   <source>/ {n} cases</source>
   <translation>/ {n} 户</translation>
  </message>
  <message>
   <source>/ {n} min</source>
   <translation>/ {n} 分</translation>
  </message>
  <message>
   <source>Agent Desktop</source>
   <translation>坐席桌面</translation>
  </message>
  <message>
   <source>Handled today</source>
   <translation>今日处理</translation>
  </message>
  <message>
   <source>Menu of {name}</source>
   <translation>{name}的菜单</translation>
  </message>
  <message>
   <source>Promises</source>
   <translation>承诺</translation>
  </message>
  <message>
   <source>Talk time</source>
   <translation>有效通话</translation>
  </message>
  <message>
   <source>· {amount}</source>
   <translation>笔 · {amount}</translation>
  </message>
 </context>
 <context>
  <name>Window</name>
  <message>
   <source>1 to 8 choose the outcome, Ctrl+Enter saves.</source>
   <translation>1 至 8 选择结果，Ctrl+Enter 保存。</translation>
  </message>
  <message>
   <source>Agent Desktop – {name}</source>
   <translation>坐席桌面 – {name}</translation>
  </message>
  <message>
   <source>F6 opens a case, F2 dials: the practice line answers and speaks. F4 hangs up.</source>
   <translation>F6 打开案件，F2 拨号：模拟线路会接听并说话；F4 挂断。</translation>
  </message>
  <message>
   <source>Its work is done on the collection server.</source>
   <translation>相关工作在催收管理系统中完成。</translation>
  </message>
  <message>
   <source>Password</source>
   <translation>密码</translation>
  </message>
  <message>
   <source>Sign in again</source>
   <translation>重新登录</translation>
  </message>
  <message>
   <source>Signing in…</source>
   <translation>正在登录…</translation>
  </message>
  <message>
   <source>This is a demo: the people are invented and the line is a practice line.</source>
   <translation>这是演示：人物均为虚构，线路为情境模拟线路。</translation>
  </message>
  <message>
   <source>Your name, top right, opens QA's and the lead's windows.</source>
   <translation>点击右上角姓名可打开质检和主管的窗口。</translation>
  </message>
  <message>
   <source>Your role has no workspace here</source>
   <translation>您的角色在此没有工作区</translation>
  </message>
 </context>
 <context>
  <name>WrapUp</name>
  <message>
   <source>Choose</source>
   <translation>请选择</translation>
  </message>
  <message>
   <source>Choose an outcome: keys 1 to 8.</source>
   <translation>请选择结果：按 1 至 8。</translation>
  </message>
  <message>
   <source>Draft kept</source>
   <translation>草稿已保存</translation>
  </message>
  <message>
   <source>Next follow-up</source>
   <translation>下次跟进</translation>
  </message>
  <message>
   <source>None</source>
   <translation>无</translation>
  </message>
  <message>
   <source>Note</source>
   <translation>催记内容</translation>
  </message>
  <message>
   <source>Promised amount</source>
   <translation>承诺金额</translation>
  </message>
  <message>
   <source>Promised date</source>
   <translation>承诺日期</translation>
  </message>
  <message>
   <source>Save</source>
   <translation>保存</translation>
  </message>
  <message>
   <source>Save and next</source>
   <translation>保存并下一案</translation>
  </message>
  <message>
   <source>The amount must be more than nothing.</source>
   <translation>金额必须大于零。</translation>
  </message>
  <message>
   <source>The text is too long.</source>
   <translation>文字过长。</translation>
  </message>
  <message>
   <source>This cannot be saved.</source>
   <translation>无法保存。</translation>
  </message>
  <message>
   <source>This is more than is owed.</source>
   <translation>超过欠款总额。</translation>
  </message>
  <message>
   <source>This is needed for a promise.</source>
   <translation>承诺还款必须填写。</translation>
  </message>
  <message>
   <source>This is not an amount.</source>
   <translation>金额格式不正确。</translation>
  </message>
  <message>
   <source>This is too far away.</source>
   <translation>时间过远。</translation>
  </message>
  <message>
   <source>This lies in the past.</source>
   <translation>时间已过。</translation>
  </message>
  <message>
   <source>What was said</source>
   <translation>通话内容</translation>
  </message>
  <message>
   <source>Wrap-up note</source>
   <translation>催记</translation>
  </message>
 </context>
</TS>
