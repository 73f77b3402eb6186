import {rmSync} from 'node:fs'
import {listRooms} from './rooms.ts'

// Only what the build made: manifests and generated documents are committed and stay.
for (const room of listRooms()) rmSync(room.output, {recursive: true, force: true})
