import {naming, passwordFor, readKeyFile, type KeyAccess} from '@atomctl/sdk/signing'

/** The public key of a key file, which may itself be a public key. @throws KEY_INVALID, KEY_PASSWORD, INPUT_MISSING */
export async function readPublicKey(path: string, access: KeyAccess): Promise<string> {
  const pem = await readKeyFile(path)
  const {parsePublicKey, publicKeyOf} = await import('@atomctl/wpk/signing')
  return naming(path, async () => {
    if (/^\s*-----BEGIN PUBLIC KEY-----/.test(pem)) {
      return parsePublicKey(pem).export({type: 'spki', format: 'pem'}).toString()
    }
    return publicKeyOf(pem, await passwordFor(pem, path, access))
  })
}
