// Parses and resolves both documents completely. The service imports this on demand, for pages that show the documents.
import asyncapiDocument from '../../spec/asyncapi.yaml'
import openapiDocument from '../../spec/openapi.yaml'
import type { AsyncApi, OpenApi } from './documents.ts'
import { resolveReferences } from './references.ts'

/** The documents with unresolved `$ref`s. */
export const sources = { openapi: openapiDocument as object, asyncapi: asyncapiDocument as object }

const resolved = resolveReferences(sources)

/** `openapi.yaml` with every `$ref` resolved. */
export const openapi = resolved.openapi as OpenApi

/** `asyncapi.yaml` with every `$ref` resolved. */
export const asyncapi = resolved.asyncapi as AsyncApi
