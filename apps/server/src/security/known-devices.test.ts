import { expect, it } from 'vitest'
import { knownDevices } from './known-devices.ts'

it('a device is known to the user who signed in there, by the gateway that said so, and by its whole token only', () => {
  let made = 0
  const devices = knownDevices(Buffer.alloc(32, 1), () => `device${++made}`)
  const token = devices.tokenFor('mei')
  expect(devices.deviceOf('mei', token)).toBe('device1')
  expect(devices.deviceOf('mei', devices.tokenFor('mei'))).toBe('device2')
  const others = knownDevices(Buffer.alloc(32, 2), () => 'device1')
  for (const [username, given] of [
    ['lin', token],
    ['mei', undefined],
    ['mei', ''],
    ['mei', 'device1'],
    ['mei', 'device1.'],
    ['mei', token.slice(0, -1)],
    ['mei', token.replace('device1', 'device2')],
    ['mei', others.tokenFor('mei')],
  ] as const) {
    expect(devices.deviceOf(username, given), `${username} ${given}`).toBeNull()
  }
})
