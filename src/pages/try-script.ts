// Loaded on demand: from source, the script is bundled when it is requested for the first time. A compiled
// binary contains the bundled text.
import { bundleScript } from './bundle-script.ts' with { type: 'macro' }

export const script = bundleScript('try/page.ts')
