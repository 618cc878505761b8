// Compiles the service and all that it needs into one file: `bun run build [file]`, by default
// dist/parley. It runs without Bun and without this folder.
const outfile = process.argv[2] ?? 'dist/parley'

const { success, logs } = await Bun.build({
  entrypoints: [new URL('../src/main.ts', import.meta.url).pathname],
  compile: {
    outfile,
    // Settings come from the environment, not from whatever lies in the folder it is started in.
    autoloadBunfig: false,
    autoloadDotenv: false,
  },
  format: 'esm',
  define: { 'process.env.NODE_ENV': '"production"' },
  // Names stay: Elysia reads the source of handlers to learn what they use.
  minify: { whitespace: true, syntax: true, identifiers: false },
  bytecode: true,
})
for (const log of logs) console.error(log)
if (!success) process.exit(1)
console.log(`${outfile}: ${(Bun.file(outfile).size / 1024 ** 2).toFixed(1)} MiB`)
