import { asyncapi, openapi } from '../contract/documents.ts'
import { escapeHtml } from './markup.ts'

const { 'x-subprotocol': subprotocol, 'x-token-subprotocol-prefix': tokenPrefix } = asyncapi.channels.chat

/** The commands of the terminal. The script of the page replaces the words in braces. */
const commands = [
  {
    id: 'send',
    title: 'Send a message as Ada; it appears in both panes',
    command: `curl {http}/api/chats/send -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' -d '{"message":"Hello from a terminal!"}'`,
  },
  {
    id: 'listen',
    title: 'Listen to all messages on the WebSocket',
    command: `npx --yes wscat@6.1.0 -c {socket} -s ${subprotocol} -s ${tokenPrefix}{token}`,
  },
] as const

const commandBlock = ({ id, title, command }: (typeof commands)[number]) => `<div class="command">
<h4>${escapeHtml(title)}</h4>
<pre><code id="command-${id}" data-command="${escapeHtml(command)}"></code></pre>
<button type="button" class="quiet" aria-controls="command-${id}">Copy<span class="hidden"> the command: ${escapeHtml(title)}</span></button>
</div>`

/** The try-it page without its script, which fills the panes, the wire log and the commands. */
export const trySection = `<section aria-labelledby="try">
<h2 id="try">Try it: two people, one chat</h2>
<p>The button registers two accounts on this server, logs in, and connects both. Write on one side and read on
both. Then cut one connection, write on the other side, and watch the missed messages arrive. Rooms work the same
way: create one on one side, and join it on the other.</p>
<noscript><p>This part of the page needs JavaScript.</p></noscript>
<p><button type="button" id="start">Make two accounts and connect</button></p>
<p id="problem" role="alert"></p>
<div id="panes" class="panes"></div>
<div class="bar"><h3 id="wire-title">On the wire</h3><button type="button" class="quiet" id="clear">Clear</button></div>
<ol id="wire" aria-labelledby="wire-title" tabindex="0"></ol>
<div id="terminal" hidden>
<h3>The same in a terminal</h3>
${commands.map(commandBlock).join('\n')}
<p id="copied" role="status"></p>
<p>Stop the server with Ctrl+C and start it again: both panes reconnect and lose nothing.</p>
</div>
<template id="pane"><section class="pane">
<header><b class="who"></b><span class="connection"><span class="state" role="status"></span><span class="countdown"></span></span></header>
<div class="rooms"><select class="room"></select>
<details><summary>Create, join or leave a room</summary>
<form class="create"><input placeholder="Name of a new public room" autocomplete="off" required maxlength="${openapi.components.schemas.RoomName?.maxLength}"><button class="quiet">Create</button></form>
<form class="join"><select required></select><button class="quiet">Join</button></form>
<div class="tools">
<button type="button" class="quiet direct">Message the other person directly</button>
<button type="button" class="quiet leave">Leave this room</button>
</div>
</details></div>
<div class="messages" role="log" tabindex="0"><ol></ol></div>
<form class="write"><input placeholder="Write a message" autocomplete="off" required maxlength="4096"><button class="quiet">Send</button></form>
<div class="tools">
<button type="button" class="quiet cut">Cut the connection</button>
<button type="button" class="quiet burst">Send 10 at once</button>
<button type="button" class="quiet bad">Send a bad frame</button>
</div>
</section></template>
</section>`
