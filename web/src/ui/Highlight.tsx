import styles from './Highlight.module.css';

export interface Piece {
  text: string;
  hit: boolean;
}

/** Cuts `text` where any of the words occurs, ignoring case. */
export function pieces(text: string, words: string): Piece[] {
  const wanted = words.split(/\s+/).filter(Boolean).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  if (wanted.length === 0) return [{ text, hit: false }];
  return text
    .split(new RegExp(`(${wanted.join('|')})`, 'gi'))
    .map((part, index) => ({ text: part, hit: index % 2 === 1 }))
    .filter((part) => part.text !== '');
}

export function Highlight({ text, words }: { text: string; words: string }) {
  return (
    <>
      {pieces(text, words).map((part, index) =>
        part.hit ? (
          <mark key={index} className={styles.hit}>
            {part.text}
          </mark>
        ) : (
          part.text
        ),
      )}
    </>
  );
}
