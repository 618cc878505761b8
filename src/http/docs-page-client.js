// Requests are tried on the server that the page came from: it is the one that is surely there, and
// the only one that the page's policy lets it talk to. So it is offered first.
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
