// Preloaded into the process under test: whatever asks for the network fails, and is written down.
import dgram from 'node:dgram'
import dns from 'node:dns'
import {appendFileSync} from 'node:fs'
import {syncBuiltinESMExports} from 'node:module'
import net from 'node:net'

function deny(what) {
  return function denied() {
    appendFileSync(process.env.NETWORK_REPORT, `${what}\n`)
    throw new Error(`the network is denied: ${what}`)
  }
}

net.Socket.prototype.connect = deny('connect')
net.Server.prototype.listen = deny('listen')
dgram.createSocket = deny('udp')
for (const name of ['lookup', 'resolve', 'resolve4', 'resolve6']) {
  dns[name] = deny(`dns.${name}`)
  dns.promises[name] = deny(`dns.promises.${name}`)
}
syncBuiltinESMExports()
