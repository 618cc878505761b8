const { DOCUMENT: target, TARGET } = process.env

export default {
  parley: { input: { target }, output: { target: TARGET, client: 'zod', mode: 'single' } },
}
