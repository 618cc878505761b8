/**
 * A client in a separate process that a scenario stops with SIGSTOP, so that it no longer reads from its
 * socket. It prints each received frame and finally the close code.
 *
 * Usage: bun stuck-reader.ts <url> <token>
 */
const [url, token] = process.argv.slice(2) as [string, string]
const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } })
socket.onopen = () => console.log('connected')
socket.onmessage = ({ data }) => console.log(data)
socket.onclose = ({ code }) => console.log(`closed ${code}`)
