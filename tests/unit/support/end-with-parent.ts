// `process.on('exit')` does not run under `bun test`, and nothing runs after SIGKILL, so another process watches.
const watch = `
  while kill -0 "$1" && kill -0 "$2"; do sleep 0.2; done 2>/dev/null
  kill -0 "$1" 2>/dev/null || kill -9 "$2" 2>/dev/null
`

/** Ends `child` if this process ends first, however it ends. */
export function endWithParent<Child extends { readonly pid: number }>(child: Child): Child {
  Bun.spawn(['sh', '-c', watch, 'watch', String(process.pid), String(child.pid)], {
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'ignore',
  }).unref()
  return child
}
