// Imported on demand, because a macro delays the start from source.
import { documentSource } from './document-source.ts' with { type: 'macro' }

export const openapiText = documentSource('openapi.yaml')
export const asyncapiText = documentSource('asyncapi.yaml')
