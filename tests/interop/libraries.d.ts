// What credential.mjs uses of libraries that come without types.

type Loader = (url: string) => Promise<{ contextUrl: null; documentUrl: string; document: unknown }>;

interface Multikey {
  id: string;
  controller: string;
  publicKeyMultibase: string;
  signer(): { id: string; algorithm: string; sign(options: { data: Uint8Array }): Promise<Uint8Array> };
}

declare module '@digitalbazaar/credentials-context' {
  export const contexts: Map<string, object>;
}

declare module '@digitalbazaar/data-integrity' {
  export class DataIntegrityProof {
    constructor(options: { signer?: ReturnType<Multikey['signer']>; date?: string; cryptosuite: object });
  }
}

declare module '@digitalbazaar/ed25519-multikey' {
  export function generate(options: { seed: Uint8Array }): Promise<Multikey>;
}

declare module '@digitalbazaar/eddsa-jcs-2022-cryptosuite' {
  export function createSignCryptosuite(): object;
  export function createVerifyCryptosuite(): object;
}

declare module 'jsonld' {
  const jsonld: { expand(document: object, options: { documentLoader: Loader; safe: boolean }): Promise<object[]> };
  export default jsonld;
}

declare module 'jsonld-signatures' {
  interface Options {
    suite: import('@digitalbazaar/data-integrity').DataIntegrityProof;
    purpose: object;
    documentLoader: Loader;
  }
  const signatures: {
    sign(document: object, options: Options): Promise<object>;
    verify(document: object, options: Options): Promise<{ verified: boolean; error?: { errors?: Error[] } & Error }>;
    purposes: { AssertionProofPurpose: new () => object };
  };
  export default signatures;
}
