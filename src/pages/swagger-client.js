// "Try it out" sends requests to the server that served the page: it certainly exists, and the page's
// content security policy allows no other. So this server is listed first.
const render = window.SwaggerUIBundle

// The address of this page without its last segment: a proxy may have published the service under a prefix.
const here = new URL('.', location.href).href.replace(/\/$/, '')

const thisServer = () => ({
  statePlugins: {
    spec: {
      wrapActions: {
        updateJsonSpec: (update) => (document) => {
          const others = document.servers.filter(({ url }) => url !== here)
          return update({
            ...document,
            servers: [{ url: here, description: 'This server' }, ...others],
          })
        },
      },
    },
  },
})

window.SwaggerUIBundle = (options) => render({ ...options, plugins: [thisServer] })
