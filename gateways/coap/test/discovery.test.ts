/** `/.well-known/core` lists the gateway's resources and the topics that the client may read: RFC 6690 section 4. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GET, POST } from '#stacks/coap/codes'
import { ACCEPT, BLOCK2, uintOption } from '#stacks/coap/options'
import { World, type WorldOptions } from '#testing'
import coap from '../index.ts'
import { block2Of, Device } from './device.ts'

async function start(config: object = {}, options: WorldOptions = {}, mountpoint = '') {
  const world = new World(options)
  const gateway = await world.gateway(coap, config, { mountpoint })
  const device = new Device(gateway)
  const links = (query = '') => device.ask({ code: GET, uri: `/.well-known/core${query}` }).text.split(',')
  const topics = (query = '') =>
    links(query)
      .filter((link) => link.startsWith('</ps/'))
      .sort()
  return { world, app: world.app('app'), device, links, topics }
}

test('topics that have a value are listed with format, size and obs', async () => {
  const { app, topics } = await start()
  app.publish('room/7', '{"t":21}', { retain: true, properties: { contentType: 'application/json' } })
  app.publish('room/a b', 'x', { retain: true })
  app.publish('room/8', 'not retained')
  assert.deepEqual(topics(), ['</ps/room/7>;rt="core.ps.data";ct=50;sz=8;obs', '</ps/room/a%20b>;rt="core.ps.data";sz=1;obs'])
})

test('they are filtered like everything else', async () => {
  const { app, topics, links } = await start()
  app.publish('room/7', '1', { retain: true, properties: { contentType: 'application/json' } })
  app.publish('room/8', '22', { retain: true })
  app.publish('hall/1', '3', { retain: true })
  const targets = (query: string) => topics(query).map((link) => link.slice(1, link.indexOf('>')))
  assert.deepEqual(targets('?href=/ps/room/*'), ['/ps/room/7', '/ps/room/8'])
  assert.deepEqual(targets('?ct=50'), ['/ps/room/7'])
  assert.deepEqual(targets('?sz=2'), ['/ps/room/8'])
  assert.deepEqual(targets('?rt=core.ps.data'), ['/ps/hall/1', '/ps/room/7', '/ps/room/8'])
  assert.deepEqual(targets('?rt=core.ps'), [])
  assert.deepEqual(links('?rt=core.ps.data').length, 3)
})

test('what says who asks is no filter', async () => {
  const { app, topics } = await start()
  app.publish('room/7', '1', { retain: true })
  assert.equal(topics('?clientid=d1&u=x').length, 1)
  assert.equal(topics('?c=d1&href=/ps/room*').length, 1)
  assert.equal(topics('?href=/ps/hall*&c=d1').length, 0)
})

test('what may not be read is not listed', async () => {
  const access = {
    authenticate: () => ({ ok: true as const }),
    authorize: (client: { id: string }, _: string, topic: string) => client.id === 'app' || !topic.startsWith('secret'),
  }
  const { app, topics } = await start({}, { access })
  app.publish('secret/1', '1', { retain: true })
  app.publish('open/1', '1', { retain: true })
  assert.deepEqual(topics('?c=d1'), ['</ps/open/1>;rt="core.ps.data";sz=1;obs'])
})

test('who is not logged in sees the entry points only', async () => {
  const { app, device, topics, links } = await start({ connectionRequired: true })
  app.publish('room/7', '1', { retain: true })
  assert.deepEqual(topics(), [])
  assert.ok(links().some((link) => link.startsWith('</mqtt/connection>')))
  const { text: token } = device.ask({ code: POST, uri: '/mqtt/connection?c=d1' })
  assert.equal(topics(`?c=d1&t=${token}`).length, 1)
  assert.equal(device.ask({ code: GET, uri: '/.well-known/core?c=d1&t=0' }).code, '4.01')
})

test('where nobody gets in without a name, discovery still shows the way', async () => {
  const access = {
    authenticate: ({ request }: { request: { clientId: string } }) =>
      request.clientId === '' ? { ok: false as const, reason: 'bad-credentials' as const } : { ok: true as const },
  }
  const { app, device, topics, links } = await start({}, { access })
  app.publish('room/7', '1', { retain: true })
  assert.deepEqual(topics(), [])
  assert.ok(links().length > 3)
  assert.equal(topics('?c=d1').length, 1)
  assert.equal(device.ask({ code: GET, uri: '/ps/room/7' }).code, '4.01')
})

test('topics stand under the names that the client may use: without the mountpoint', async () => {
  const { app, device, topics } = await start({}, {}, 'site-1/')
  app.publish('site-1/room/7', '1', { retain: true })
  app.publish('room/8', '1', { retain: true })
  assert.deepEqual(topics(), ['</ps/room/7>;rt="core.ps.data";sz=1;obs'])
  assert.equal(device.ask({ code: GET, uri: '/ps/room/7' }).code, '2.05')
})

test('a long list comes in blocks, and has an end', async () => {
  const { app, device } = await start({ limits: { maxListed: 200 } })
  for (let i = 0; i < 300; i++) app.publish(`topic/${i}`, 'x', { retain: true })
  let text = ''
  for (let number = 0, more = true; more; number++) {
    const options = [uintOption(BLOCK2, (number << 4) | 4)]
    const part = device.ask({ code: GET, uri: '/.well-known/core', options })
    assert.equal(part.code, '2.05')
    text += part.text
    more = block2Of(part)?.more === true
  }
  assert.equal(text.split(',').filter((link) => link.startsWith('</ps/topic/')).length, 200)
})

test('another format is 4.06', async () => {
  const { device } = await start()
  assert.equal(device.ask({ code: GET, uri: '/.well-known/core', options: [uintOption(ACCEPT, 50)] }).code, '4.06')
  assert.equal(device.ask({ code: GET, uri: '/.well-known/core', options: [uintOption(ACCEPT, 40)] }).code, '2.05')
})
