// What a thread's sockets write large copies from, used again and again: memory taken for each of them is new to the process every time.
import type { Socket } from 'node:net'

/** A full read and what is put before it. */
const SIZE = 80 * 1024
/** A write that has to wait holds its buffer: for less than this, one of its own size. */
const LARGE = 32 * 1024
const MOST_FREE = 64

export class CopyBuffers {
  readonly #free: Buffer[] = []

  /** Of `size` bytes at least; to be given to `write` at once. */
  take(size: number): Buffer {
    if (size < LARGE || size > SIZE) return Buffer.allocUnsafeSlow(size)
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(SIZE)
  }

  /** Writes the buffer up to `end`. */
  write(socket: Socket, buffer: Buffer, end: number): void {
    let waits = false
    socket.write(end === buffer.length ? buffer : buffer.subarray(0, end), (error) => {
      // After an error the write may not have let go of it: then it is left to the garbage collector.
      if (waits && (error === null || error === undefined)) this.#put(buffer)
    })
    // Mostly the kernel takes everything at once.
    if (socket.writableLength === 0) this.#put(buffer)
    else waits = true
  }

  #put(buffer: Buffer): void {
    if (buffer.length === SIZE && this.#free.length < MOST_FREE) this.#free.push(buffer)
  }
}
