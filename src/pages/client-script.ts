import { Elysia } from 'elysia'
import { serveContent } from './content.ts'

/** The client package, for pages without a bundler: `import { createClient } from 'https://…/client.js'`. */
export function clientScript() {
  const script = serveContent(async () => {
    // Imported on demand, because it is bundled when it is imported, unless the service is compiled.
    const { clientSource } = await import('./client-source.ts')
    return {
      body: clientSource,
      type: 'text/javascript; charset=utf-8',
      // Pages of all origins may load it: it is public.
      headers: { 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' },
    }
  })
  // Elysia does not derive HEAD from GET.
  return new Elysia({ name: 'client' }).get('/client.js', script).head('/client.js', script)
}
