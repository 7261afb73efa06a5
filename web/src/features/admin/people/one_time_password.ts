// Letters that are not mistaken for one another when read aloud or off paper.
const alphabet = 'abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/** A password to hand over once: 16 signs in four blocks, always with digits, capitals and a dash. */
export function one_time_password(random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer> = (bytes) => crypto.getRandomValues(bytes)): string {
  for (;;) {
    const letters: string[] = [];
    while (letters.length < 16) {
      for (const byte of random(new Uint8Array(32))) {
        // Bytes past the last full round would make the first letters likelier.
        if (byte < 256 - (256 % alphabet.length) && letters.length < 16) letters.push(alphabet[byte % alphabet.length]);
      }
    }
    const text = letters.join('');
    if (/\d/.test(text) && /[a-z]/.test(text) && /[A-Z]/.test(text)) return text.replace(/(.{4})(?=.)/g, '$1-');
  }
}
