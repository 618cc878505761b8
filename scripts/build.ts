// `bun run build [file]` compiles the service into one executable file, by default dist/parley. It runs
// without Bun and without this folder.
const outfile = process.argv[2] ?? 'dist/parley'

const { success, logs } = await Bun.build({
  entrypoints: ['main.ts', 'vacuum-worker.ts'].map(
    (file) => new URL(`../src/${file}`, import.meta.url).pathname,
  ),
  compile: {
    outfile,
    // Settings come only from the environment, not from files in the working directory.
    autoloadBunfig: false,
    autoloadDotenv: false,
  },
  format: 'esm',
  define: { 'process.env.NODE_ENV': '"production"' },
  // What is imported on demand, such as the commands, is loaded on demand. In one file, it would be loaded with the program, and the modules of
  // Node that it imports would be evaluated at each start.
  splitting: true,
  // Elysia reads the source text of handlers to find out what they use, so identifiers are kept.
  minify: { whitespace: true, syntax: true, identifiers: false },
  bytecode: true,
})
for (const log of logs) console.error(log)
if (!success) process.exit(1)
console.log(`${outfile}: ${(Bun.file(outfile).size / 1024 ** 2).toFixed(1)} MiB`)
