// The baseline for logins: `Bun.password.verify` alone, without HTTP or a database. Runs CONCURRENCY verifications
// in parallel for SECONDS and prints the number of verifications per second. HASH determines the parameters.

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
