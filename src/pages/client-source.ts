import { clientBundle } from './client-bundle.ts' with { type: 'macro' }

export const clientSource = clientBundle()
