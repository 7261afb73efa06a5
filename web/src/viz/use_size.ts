import { useCallback, useRef, useState } from 'react';
import type { Size } from './types';

/** The inner size of an element, followed while it changes; null until it is known. Whole pixels. */
export function useSize(): [(element: HTMLElement | null) => void, Size | null] {
  const [size, setSize] = useState<Size | null>(null);
  const observer = useRef<ResizeObserver | null>(null);
  const attach = useCallback((element: HTMLElement | null) => {
    observer.current?.disconnect();
    if (!element) return;
    const read = () => {
      const next = { width: Math.floor(element.clientWidth), height: Math.floor(element.clientHeight) };
      setSize((before) => (before && before.width === next.width && before.height === next.height ? before : next));
    };
    read();
    if (typeof ResizeObserver === 'undefined') return;
    observer.current = new ResizeObserver(read);
    observer.current.observe(element);
  }, []);
  return [attach, size];
}
