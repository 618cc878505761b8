// "Try it out" sends requests to the server that served the page: it certainly exists, and the page's
// content security policy allows no other. So this server is listed first.
const render = window.SwaggerUIBundle

const thisServer = () => ({
  statePlugins: {
    spec: {
      wrapActions: {
        updateJsonSpec: (update) => (document) => {
          const others = document.servers.filter(({ url }) => url !== location.origin)
          return update({
            ...document,
            servers: [{ url: location.origin, description: 'This server' }, ...others],
          })
        },
      },
    },
  },
})

window.SwaggerUIBundle = (options) => render({ ...options, plugins: [thisServer] })
