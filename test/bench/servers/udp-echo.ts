/** The least a UDP server on this platform can do: send each datagram back. Usage: udp-echo.js PORT */
import { createSocket } from 'node:dgram'

const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 })
socket.on('message', (message, from) => socket.send(message, from.port, from.address))
socket.bind(Number(process.argv[2]), '127.0.0.1', () => console.log('ready'))
