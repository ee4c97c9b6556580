import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPassedSockets } from '#run/listen/passed-sockets.ts'
import { createNotifier } from './notify.ts'

test('what the service manager tells this process is not left for its programs', async () => {
  const env: NodeJS.ProcessEnv = {
    NOTIFY_SOCKET: '',
    WATCHDOG_USEC: '1000',
    WATCHDOG_PID: '1',
    LISTEN_FDS: '2',
    LISTEN_PID: '1',
    LISTEN_FDNAMES: 'a:b',
    MODE: 'production',
  }
  // No socket: nobody is told, and no program is run for it.
  const notifier = createNotifier(env, assert.ifError)
  notifier.ready('serves')
  notifier.stopping()
  const passed = await readPassedSockets(env)
  assert.deepEqual(env, { MODE: 'production' })
  assert.deepEqual(passed.left(), [])
  assert.equal(passed.take('TCP', '0.0.0.0', 80), undefined)
})
