/**
 * Starts a server on this machine only; resolves to its port. Port 0 uses any free one.
 *
 * @param {import('node:net').Server} server @param {number} port
 */
export async function listen(server, port) {
  await new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', () => resolve(undefined))
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no port.')
  return address.port
}

/** Stops a server and its connections. @param {import('node:http').Server} server */
export async function close(server) {
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeAllConnections()
  await closed
}
