/** What was being stored has found no room: its readers may have the rest from elsewhere. */
export class Outgrown extends Error {
  override readonly name = 'Outgrown'

  constructor() {
    super('What was being stored has outgrown the room that there is')
  }
}
