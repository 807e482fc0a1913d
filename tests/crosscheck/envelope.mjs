// docs/envelope.md, written a second time: by its words alone, on HPKE, X-Wing and ML-KEM that are not the product's.
//
//   node envelope.mjs open FILE...   what each reader comes to, one line of JSON a vector
//   node envelope.mjs seal           vectors sealed here, one line of JSON {name, text} each
//
// It refuses what the page says a reader refuses, in the page's order.

import { createHash, createPrivateKey, createPublicKey, hkdfSync, randomBytes, sign, verify } from "node:crypto";
import { createCipheriv, createDecipheriv } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { Aes256Gcm, CipherSuite, HkdfSha256 } from "@hpke/core";
import { XWing } from "@hpke/hybridkem-x-wing";

const FORMAT = Buffer.from("volens/1");
const SLOT = 1168, KEM = 1120, COMMITMENT = 32, TAG = 16, SIGNATURE = 64, FIXED = 89, LEAST = 4096, MOST = 1048576;
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const kem = new XWing();
const suite = new CipherSuite({ kem, kdf: new HkdfSha256(), aead: new Aes256Gcm() });

class Refused extends Error {}
const need = (holds, layer) => { if (!holds) throw new Refused(layer); };
const sha256 = (bytes) => createHash("sha256").update(bytes).digest();
const hkdf = (secret, info) => Buffer.from(hkdfSync("sha256", secret, Buffer.alloc(0), info, 32));
const u32 = (n) => { const four = Buffer.alloc(4); four.writeUInt32BE(n); return four; };
const slotInfo = (which, header) => Buffer.concat([Buffer.from(`volens/slot/1\0${which}\0`), header]);
const commitmentOf = (key, header) => hkdf(key, Buffer.concat([Buffer.from("volens/commit/1\0"), header]));
const signed = (unsigned) => Buffer.concat([Buffer.from("volens/envelope/1\0"), unsigned]);

function padme(length) {
  if (length <= LEAST) return LEAST;
  const e = Math.floor(Math.log2(length)), s = Math.floor(Math.log2(e)) + 1, unit = 2 ** (e - s);
  return Math.ceil(length / unit) * unit;
}

function recoverySecret(text) {
  let number = 0n;
  for (const letter of text.replaceAll("-", "")) number = (number << 5n) | BigInt(ALPHABET.indexOf(letter));
  const raw = Buffer.from(number.toString(16).padStart(70, "0"), "hex"), code = raw.subarray(0, 32);
  need(sha256(Buffer.concat([Buffer.from("volens/recovery/check/1"), code])).subarray(0, 3).equals(raw.subarray(32)), "code");
  return code;
}

async function keyPair(seed) {
  // A key pair's seed is expanded as docs/envelope.md says, Keys; X-Wing's own draft says the same.
  return kem.generateKeyPairDerand(new Uint8Array(seed));
}

// ---- reading ----------------------------------------------------------------------------------------------------------
function cut(raw) {
  need(raw.length >= FIXED + 1 + 2 * SLOT + COMMITMENT + LEAST + TAG + SIGNATURE && raw.length <= MOST, "header");
  need(raw.subarray(0, 8).equals(FORMAT), "header");
  const end = FIXED + raw[88];
  need(raw[88] >= 1 && raw[88] <= 64 && /^[a-z][a-z0-9_-]*$/.test(raw.subarray(FIXED, end).toString("latin1")), "header");
  const body = end + 2 * SLOT + COMMITMENT;
  need(raw.length - body >= LEAST + TAG + SIGNATURE, "header");
  return {
    header: raw.subarray(0, end),
    pseudonym: raw.subarray(8, 40),
    keyId: raw.subarray(40, 72),
    slots: { purpose: raw.subarray(end, end + SLOT), subject: raw.subarray(end + SLOT, end + 2 * SLOT) },
    commitment: raw.subarray(end + 2 * SLOT, body),
    body: raw.subarray(body, raw.length - SIGNATURE),
    unsigned: raw.subarray(0, raw.length - SIGNATURE),
    signature: raw.subarray(raw.length - SIGNATURE),
  };
}

function ed25519Public(raw) {
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: raw.toString("base64url") }, format: "jwk" });
}

function parse(raw) {
  const parts = cut(raw);
  let holds = false;
  try { holds = verify(null, signed(parts.unsigned), ed25519Public(parts.pseudonym), parts.signature); } catch { /* no point of the curve */ }
  need(holds, "signature");
  const padded = parts.body.length - TAG;
  need(padded >= LEAST && padme(padded) === padded, "padding");
  return parts;
}

async function openSlot(sealed, recipientKey, info) {
  const recipient = await suite.createRecipientContext({ recipientKey, enc: new Uint8Array(sealed.subarray(0, KEM)), info: new Uint8Array(info) });
  return Buffer.from(await recipient.open(new Uint8Array(sealed.subarray(KEM))));
}

async function open(raw, which, seed) {
  const parts = parse(raw), { privateKey } = await keyPair(seed);
  if (which === "purpose") need(sha256(await publicKey(seed)).equals(parts.keyId), "slot");
  let key;
  try { key = await openSlot(parts.slots[which], privateKey, slotInfo(which, parts.header)); } catch { throw new Refused("slot"); }
  need(key.length === 32 && commitmentOf(key, parts.header).equals(parts.commitment), "slot");
  let padded;
  try {
    const gcm = createDecipheriv("aes-256-gcm", key, Buffer.alloc(12)).setAAD(parts.header);
    gcm.setAuthTag(parts.body.subarray(-TAG));
    padded = Buffer.concat([gcm.update(parts.body.subarray(0, -TAG)), gcm.final()]);
  } catch { throw new Refused("ciphertext"); }
  const end = 4 + padded.readUInt32BE(0);
  need(end > 4 && end <= padded.length && padme(end) === padded.length && padded.subarray(end).every((byte) => byte === 0), "padding");
  return padded.subarray(4, end);
}

// ---- sealing ----------------------------------------------------------------------------------------------------------
async function publicKey(seed) {
  return Buffer.from(await kem.serializePublicKey((await keyPair(seed)).publicKey));
}

async function sealSlot(recipient, key, info) {
  const recipientPublicKey = await suite.kem.deserializePublicKey(new Uint8Array(recipient).buffer);
  const sender = await suite.createSenderContext({ recipientPublicKey, info: new Uint8Array(info) });
  return Buffer.concat([Buffer.from(sender.enc), Buffer.from(await sender.seal(new Uint8Array(key)))]);
}

function ed25519Private(seed) {
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
}

function identity(code, day, purpose, n) {
  const secret = hkdf(code, Buffer.from("volens/recovery/identity/1"));
  return ed25519Private(hkdf(secret, Buffer.concat([Buffer.from(`volens/id/1\0${day}\0${purpose}\0`), u32(n)])));
}

async function seal(payload, purpose, purposePublic, readingPublic, signer) {
  const key = randomBytes(32);
  const pseudonym = Buffer.from(createPublicKey(signer).export({ format: "jwk" }).x, "base64url");
  const header = Buffer.concat([FORMAT, pseudonym, sha256(purposePublic), randomBytes(16), Buffer.from([purpose.length]), Buffer.from(purpose)]);
  const padded = Buffer.alloc(padme(4 + payload.length));
  u32(payload.length).copy(padded);
  payload.copy(padded, 4);
  const gcm = createCipheriv("aes-256-gcm", key, Buffer.alloc(12)).setAAD(header);
  const body = Buffer.concat([gcm.update(padded), gcm.final(), gcm.getAuthTag()]);
  const unsigned = Buffer.concat([
    header,
    await sealSlot(purposePublic, key, slotInfo("purpose", header)),
    await sealSlot(readingPublic, key, slotInfo("subject", header)),
    commitmentOf(key, header),
    body,
  ]);
  return Buffer.concat([unsigned, sign(null, signed(unsigned), signer)]);
}

// ---- the commands -----------------------------------------------------------------------------------------------------
function load(path) {
  const [head, body] = readFileSync(path, "utf8").split("\n\n");
  const fields = Object.fromEntries(head.trim().split("\n").map((line) => line.split(": ")));
  return { fields, raw: Buffer.from((body ?? "").replaceAll("\n", ""), "base64") };
}

async function openAll(paths) {
  for (const path of paths) {
    const { fields, raw } = load(path);
    const seeds = {
      purpose: Buffer.from(fields["purpose-seed"], "hex"),
      subject: hkdf(recoverySecret(fields["recovery-code"]), Buffer.from("volens/recovery/reading/1")),
    };
    for (const reader of fields.readers.split(" ")) {
      const said = { name: basename(path, ".txt"), reader, id: sha256(raw).toString("hex") };
      try {
        const payload = await open(raw, reader, seeds[reader]);
        console.log(JSON.stringify({ ...said, verdict: "ok", payload_sha256: sha256(payload).toString("hex") }));
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        console.log(JSON.stringify({ ...said, verdict: error.message }));
      }
    }
  }
}

async function sealAll() {
  const code = sha256("vectors: recovery code"), seed = sha256("vectors: purpose");
  const text = "5DRQ-G1R1-C5ZM-RFAQ-6DCP-Y8NP-QV6M-TNPK-76DA-S0XC-AB3F-VEN1-47KX-08H0";
  need(recoverySecret(text).equals(code), "code");
  const reading = await publicKey(hkdf(code, Buffer.from("volens/recovery/reading/1")));
  for (const size of [1, 4092, 4093, 20000]) {
    const payload = Buffer.alloc(size, "sealed elsewhere ");
    const raw = await seal(payload, "agent-training", await publicKey(seed), reading, identity(code, "2026-11-21", "agent-training", 1));
    const head = ["expect: ok", "readers: purpose subject", `purpose-seed: ${seed.toString("hex")}`, `recovery-code: ${text}`,
      `id: ${sha256(raw).toString("hex")}`, `payload-sha256: ${sha256(payload).toString("hex")}`];
    const lines = raw.toString("base64").match(/.{1,120}/g);
    console.log(JSON.stringify({ name: `ok_sealed_elsewhere_${size}`, text: [...head, "", ...lines, ""].join("\n") }));
  }
}

const [command, ...paths] = process.argv.slice(2);
await (command === "seal" ? sealAll() : openAll(paths));
