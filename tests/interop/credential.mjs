// @ts-check
// Signs and verifies credentials with Digital Bazaar's libraries, offline.
//
//   node credential.mjs verify < credential.json                    prints {"verified":true} or the errors
//   node credential.mjs sign SEED_HEX < unsecured.json > secured.json
//   node credential.mjs did SEED_HEX                                prints the did:key of a seed of 32 bytes

import { isDeepStrictEqual } from 'node:util';
import { text } from 'node:stream/consumers';
import { contexts } from '@digitalbazaar/credentials-context';
import { DataIntegrityProof } from '@digitalbazaar/data-integrity';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import { createSignCryptosuite, createVerifyCryptosuite } from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import jsonld from 'jsonld';
import signatures from 'jsonld-signatures';

const purpose = new signatures.purposes.AssertionProofPurpose();

/**
 * The document of a did:key, or its verification method: both are nothing but the key.
 * @param {string} url
 */
function didKey(url) {
  const [, did, key, fragment] = /^(did:key:(z6Mk[1-9A-HJ-NP-Za-km-z]+))(#\2)?$/.exec(url) ?? [];
  if (!did || !key) return undefined;
  const method = {
    '@context': 'https://w3id.org/security/multikey/v1',
    id: `${did}#${key}`,
    type: 'Multikey',
    controller: did,
    publicKeyMultibase: key,
  };
  if (fragment) return method;
  return {
    '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'],
    id: did,
    verificationMethod: [method],
    assertionMethod: [method.id],
  };
}

/** @type {Loader} */
async function documentLoader(url) {
  const document = contexts.get(url) ?? didKey(url);
  if (!document) throw new Error(`${url} is not known offline`);
  return { contextUrl: null, documentUrl: url, document };
}

/**
 * The key of a seed, named by its did:key.
 * @param {string} hex
 */
async function keyOf(hex) {
  if (!/^[0-9a-f]{64}$/i.test(hex)) throw new Error('a seed has 64 hexadecimal digits');
  const key = await Ed25519Multikey.generate({ seed: new Uint8Array(Buffer.from(hex, 'hex')) });
  key.controller = `did:key:${key.publicKeyMultibase}`;
  key.id = `${key.controller}#${key.publicKeyMultibase}`;
  return key;
}

/**
 * The errors in a credential: none if it is good.
 * @param {Record<string, any>} credential
 */
async function verify(credential) {
  // The suite compares the contexts of proof and document by ===, which no two objects read from JSON pass.
  const proof = credential['proof'];
  if (proof?.['@context'] && isDeepStrictEqual(proof['@context'], credential['@context'])) {
    proof['@context'] = credential['@context'];
  }
  /** @type {(Error & { details?: unknown })[]} */
  const errors = [];
  // Jcs suites never look at the context, but other readers do; the safe mode throws at terms that it does not define.
  await jsonld.expand(credential, { documentLoader, safe: true }).catch((error) => errors.push(error));
  // The library asks whether the key may assert, but not for whom.
  if (String(proof?.verificationMethod).split('#')[0] !== credential['issuer']) {
    errors.push(new Error('the verification method is not the issuer\'s'));
  }
  const suite = new DataIntegrityProof({ cryptosuite: createVerifyCryptosuite() });
  const { verified, error } = await signatures.verify(credential, { suite, purpose, documentLoader });
  if (!verified) errors.push(...(error?.errors ?? [error ?? new Error('not verified')]));
  return errors;
}

const [command, seed = ''] = process.argv.slice(2);
if (command === 'verify') {
  const errors = await verify(JSON.parse(await text(process.stdin)));
  const messages = errors.map(({ message, details }) => (details ? `${message} ${JSON.stringify(details)}` : message));
  console.log(JSON.stringify(errors.length ? { verified: false, errors: messages } : { verified: true }));
  process.exitCode = errors.length ? 1 : 0;
} else if (command === 'sign') {
  const unsecured = JSON.parse(await text(process.stdin));
  const suite = new DataIntegrityProof({
    signer: (await keyOf(seed)).signer(), date: unsecured.validFrom, cryptosuite: createSignCryptosuite(),
  });
  console.log(JSON.stringify(await signatures.sign(unsecured, { suite, purpose, documentLoader }), null, 2));
} else if (command === 'did') {
  console.log((await keyOf(seed)).controller);
} else {
  console.error('usage: credential.mjs verify | sign SEED_HEX | did SEED_HEX');
  process.exitCode = 2;
}
