import { expect, test } from 'vitest';
import { Room } from '../replay/room.ts';
import { RoomOrClose, type RoomToWaitFor } from './room-or-close.ts';

/** Room for one. */
function roomForOne(): { room: Room; target: RoomToWaitFor } {
  const room = new Room(2, 1_000);
  return {
    room,
    target: {
      get room() {
        return room.free;
      },
      waitForRoom: () => room.wait(),
    },
  };
}

test('waits until there is room, as often as it must', async () => {
  const { room, target } = roomForOne();
  const waiting = new RoomOrClose(target);
  await waiting.makeWay();
  room.update(2, 0);
  let over = false;
  const wait = waiting.makeWay().then(() => (over = true));
  // Woken, and there is none after all.
  await new Promise(setImmediate);
  room.wake();
  await new Promise(setImmediate);
  expect(over).toBe(false);
  room.update(0, 0);
  await wait;
});

test('closed, it waits no more, now or later', async () => {
  const { room, target } = roomForOne();
  room.update(2, 0);
  const waiting = new RoomOrClose(target);
  const wait = waiting.makeWay();
  await new Promise(setImmediate);
  waiting.close();
  await wait;
  expect(waiting.closed).toBe(true);
  await waiting.makeWay();
});
