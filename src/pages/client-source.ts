// Loaded on demand: from source, the client is bundled when it is requested for the first time.
import { bundleScript } from './bundle-script.ts' with { type: 'macro' }

export const clientSource = bundleScript('../../client/src/index.ts')
