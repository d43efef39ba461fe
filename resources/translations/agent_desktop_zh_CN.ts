<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en">
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
  <name>Problems</name>
  <message>
   <source>Login or password is wrong.</source>
   <translation>账号或密码不正确。</translation>
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
   <source>The server cannot be reached. Check the network, then try again.</source>
   <translation>无法连接服务器，请检查网络后重试。</translation>
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
   <source>The server did not accept this.</source>
   <translation>服务器未接受此操作。</translation>
  </message>
  <message>
   <source>The configuration file has an error. Ask your administrator.</source>
   <translation>配置文件有误，请联系管理员。</translation>
  </message>
  <message>
   <source>This is no longer here. It may have been moved or closed.</source>
   <translation>此项已不在此处，可能已被调换或结案。</translation>
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
   <source>The disk is full. Free some space now: recordings need it.</source>
   <translation>磁盘已满，请立即清理空间，录音需要使用。</translation>
  </message>
  <message>
   <source>This recording is damaged and cannot be played.</source>
   <translation>此录音已损坏，无法播放。</translation>
  </message>
  <message>
   <source>The agent's line refused the permission to listen.</source>
   <translation>坐席线路拒绝了监听授权。</translation>
  </message>
  <message>
   <source>The line program is not running. It is being started again.</source>
   <translation>线路程序未运行，正在重新启动。</translation>
  </message>
  <message>
   <source>The line is not registered, so no call can be made now.</source>
   <translation>线路未注册，暂时无法通话。</translation>
  </message>
  <message>
   <source>There is a call on this line already.</source>
   <translation>此线路已有通话。</translation>
  </message>
  <message>
   <source>This is not a number that can be dialled.</source>
   <translation>此号码无法拨打。</translation>
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
   <source>This call has ended.</source>
   <translation>此通话已结束。</translation>
  </message>
  <message>
   <source>This contact must not be called.</source>
   <translation>此联系人禁止拨打。</translation>
  </message>
  <message>
   <source>Something unexpected went wrong. It has been logged.</source>
   <translation>发生意外错误，已记入日志。</translation>
  </message>
 </context>
 <context>
  <name>Terms</name>
  <message>
   <source>Promise to pay</source>
   <translation>承诺还款</translation>
  </message>
  <message>
   <source>Willing</source>
   <translation>有意愿</translation>
  </message>
  <message>
   <source>Unable to pay</source>
   <translation>无力偿还</translation>
  </message>
  <message>
   <source>Refused</source>
   <translation>拒绝还款</translation>
  </message>
  <message>
   <source>Third party</source>
   <translation>他人接听</translation>
  </message>
  <message>
   <source>No answer</source>
   <translation>无人接听</translation>
  </message>
  <message>
   <source>Dead number</source>
   <translation>空号停机</translation>
  </message>
  <message>
   <source>Complaint</source>
   <translation>投诉</translation>
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
   <source>Spouse</source>
   <translation>配偶</translation>
  </message>
  <message>
   <source>Parent</source>
   <translation>父母</translation>
  </message>
  <message>
   <source>Sibling</source>
   <translation>兄弟姐妹</translation>
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
   <source>Friend</source>
   <translation>朋友</translation>
  </message>
  <message>
   <source>Original</source>
   <translation>原资</translation>
  </message>
  <message>
   <source>Traced</source>
   <translation>调资</translation>
  </message>
  <message>
   <source>Valid</source>
   <translation>有效</translation>
  </message>
  <message>
   <source>Invalid</source>
   <translation>无效</translation>
  </message>
  <message>
   <source>Unreached</source>
   <translation>未接通</translation>
  </message>
  <message>
   <source>Do not call</source>
   <translation>禁止拨打</translation>
  </message>
  <message>
   <source>Collector</source>
   <translation>催收员</translation>
  </message>
  <message>
   <source>Team lead</source>
   <translation>主管</translation>
  </message>
  <message>
   <source>QA</source>
   <translation>质检</translation>
  </message>
  <message>
   <source>Data officer</source>
   <translation>数据专员</translation>
  </message>
  <message>
   <source>Administrator</source>
   <translation>系统管理员</translation>
  </message>
  <message>
   <source>inbound</source>
   <translation>呼入</translation>
  </message>
  <message>
   <source>outbound</source>
   <translation>呼出</translation>
  </message>
  <message>
   <source>Ready</source>
   <translation>就绪</translation>
  </message>
  <message>
   <source>Ringing</source>
   <translation>振铃</translation>
  </message>
  <message>
   <source>On a call</source>
   <translation>通话中</translation>
  </message>
  <message>
   <source>Wrap-up</source>
   <translation>话后</translation>
  </message>
  <message>
   <source>Break</source>
   <translation>小休</translation>
  </message>
  <message>
   <source>Offline</source>
   <translation>离线</translation>
  </message>
  <message>
   <source>Note</source>
   <translation>催记</translation>
  </message>
  <message>
   <source>Call</source>
   <translation>通话</translation>
  </message>
  <message>
   <source>Promise</source>
   <translation>承诺</translation>
  </message>
  <message>
   <source>open</source>
   <translation>未到期</translation>
  </message>
  <message>
   <source>kept</source>
   <translation>已履约</translation>
  </message>
  <message>
   <source>broken</source>
   <translation>未履约</translation>
  </message>
  <message>
   <source>hung up</source>
   <translation>已挂断</translation>
  </message>
  <message>
   <source>the other side hung up</source>
   <translation>对方挂断</translation>
  </message>
  <message>
   <source>cancelled</source>
   <translation>已取消</translation>
  </message>
  <message>
   <source>missed</source>
   <translation>未接来电</translation>
  </message>
  <message>
   <source>rejected</source>
   <translation>已拒接</translation>
  </message>
  <message>
   <source>busy</source>
   <translation>忙线</translation>
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
   <source>unreachable</source>
   <translation>无法接通</translation>
  </message>
  <message>
   <source>no such number</source>
   <translation>空号</translation>
  </message>
  <message>
   <source>failed</source>
   <translation>失败</translation>
  </message>
  <message>
   <source>the line was lost</source>
   <translation>线路中断</translation>
  </message>
  <message>
   <source>Promise due today {amount}</source>
   <translation>承诺今日到期 {amount}</translation>
  </message>
  <message>
   <source>Promise broken {amount}</source>
   <translation>承诺未履约 {amount}</translation>
  </message>
  <message>
   <source>Call back at {time}</source>
   <translation>约定 {time} 回拨</translation>
  </message>
  <message>
   <source>Not contacted for {days} days</source>
   <translation>{days} 天未联系</translation>
  </message>
  <message>
   <source>New case</source>
   <translation>新案</translation>
  </message>
  <message>
   <source>Last: {outcome}</source>
   <translation>上次：{outcome}</translation>
  </message>
 </context>
</TS>
