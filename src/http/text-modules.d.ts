// Files that are imported for their text or for their place, by an import attribute.

declare module '*.md' {
  const text: string
  export default text
}

declare module 'swagger-ui-dist/*' {
  const path: string
  export default path
}

declare module '*/docs-page-client.js' {
  const path: string
  export default path
}
