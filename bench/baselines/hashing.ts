// `Bun.password.verify` alone: no HTTP, no database, nothing else in the process. Runs `CONCURRENCY` at once
// for `SECONDS` and prints how many a second. The parameters are those of the hash in HASH.

const hash = process.env.HASH ?? ''
const password = process.env.PASSWORD ?? ''
const concurrency = Number(process.env.CONCURRENCY)
const durationMs = Number(process.env.SECONDS) * 1_000

const start = performance.now()
let verified = 0

await Promise.all(
  Array.from({ length: concurrency }, async () => {
    while (performance.now() - start < durationMs) {
      if (!(await Bun.password.verify(password, hash))) throw new Error('HASH is not the hash of PASSWORD')
      verified += 1
    }
  }),
)

console.log(JSON.stringify({ perSecond: verified / ((performance.now() - start) / 1_000) }))

export {}
