// Files that are imported for their text or their path, by an import attribute.

declare module '*.md' {
  const text: string
  export default text
}

declare module 'swagger-ui-dist/*' {
  const path: string
  export default path
}

declare module '*/swagger-client.js' {
  const path: string
  export default path
}

declare module '*/swagger-page.css' {
  const path: string
  export default path
}

declare module '*/style.css' {
  const text: string
  export default text
}

declare module '*/page.css' {
  const text: string
  export default text
}
