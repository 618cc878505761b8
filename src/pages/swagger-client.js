// Adapts the document to the server that served the page, so that "Try it out" works without editing.
const render = window.SwaggerUIBundle

// The address of this page without its last segment: a proxy may have published the service under a prefix.
const here = new URL('.', location.href).href.replace(/\/$/, '')

/** Makes usernames of examples unique, so that a registration succeeds on every server and every time. */
const newSuffix = () => `-${Math.random().toString(36).slice(2, 8)}`
let suffix = newSuffix()

/** An optional parameter is not filled in: its example would be sent unless the reader removes it. */
const adaptParameter = (parameter) => {
  const { example, description = '', ...rest } = parameter
  if (example === undefined || parameter.required) return parameter
  return { ...rest, description: `${description}\n\nExample: \`${example}\`` }
}

const adaptExample = (example) =>
  typeof example.value?.username === 'string'
    ? { ...example, value: { ...example.value, username: example.value.username + suffix } }
    : example

const mapValues = (object, change) =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]))

const adaptMediaType = ({ examples = {}, ...mediaType }) => ({
  ...mediaType,
  examples: mapValues(examples, adaptExample),
})

function adaptOperation(operation) {
  if (!operation.requestBody?.content) return operation
  const { requestBody } = operation
  return {
    ...operation,
    requestBody: { ...requestBody, content: mapValues(requestBody.content, adaptMediaType) },
  }
}

/** Links from the root of the server lead out of a prefix. */
const adaptLinks = (text = '') => text.replaceAll('](/', `](${here}/`)

const adaptDocument = (document) => ({
  ...document,
  info: { ...document.info, description: adaptLinks(document.info?.description) },
  // The content security policy allows no other server.
  servers: [{ url: here, description: 'This server' }],
  paths: mapValues(document.paths ?? {}, (methods) => mapValues(methods, adaptOperation)),
  components: {
    ...document.components,
    parameters: mapValues(document.components?.parameters ?? {}, adaptParameter),
  },
})

/** After a username of this page has been registered, the next registration uses another one. */
function renewUsername({ oas3Actions, oas3Selectors }, path, method) {
  const sent = oas3Selectors.requestBodyValue(path, method)
  if (typeof sent !== 'string' || !sent.includes(suffix)) return
  const next = newSuffix()
  oas3Actions.setRequestBodyValue({ value: sent.replaceAll(suffix, next), pathMethod: [path, method] })
  suffix = next
}

const thisServer = () => ({
  statePlugins: {
    spec: {
      wrapActions: {
        updateJsonSpec: (update) => (document) => update(adaptDocument(document)),
        setResponse: (set, system) => (path, method, response) => {
          set(path, method, response)
          if (response.status === 201) renewUsername(system, path, method)
        },
      },
    },
  },
})

const darkMode = window.matchMedia('(prefers-color-scheme: dark)')
const applyColors = () => window.document.documentElement.classList.toggle('dark-mode', darkMode.matches)
darkMode.addEventListener('change', applyColors)
applyColors()

window.SwaggerUIBundle = (options) => render({ ...options, plugins: [thisServer] })
