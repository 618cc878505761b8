/**
 * A client in a process of its own, so that it can be stopped for good: while it is, nobody reads
 * from its socket. Prints each frame it gets, and last how its connection ended.
 *
 * Usage: bun stuck-reader.ts <url> <token>
 */
const [url, token] = process.argv.slice(2) as [string, string]
const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } })
socket.onopen = () => console.log('connected')
socket.onmessage = ({ data }) => console.log(data)
socket.onclose = ({ code }) => console.log(`closed ${code}`)
