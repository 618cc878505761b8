declare module '*.yaml' {
  const document: unknown
  export default document
}

declare module '*.sql' {
  const text: string
  export default text
}
