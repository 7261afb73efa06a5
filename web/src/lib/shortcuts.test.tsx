import { cleanup, fireEvent, render } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { key_caps, key_name, type Shortcut, useShortcuts } from './shortcuts';

function Page({ list }: { list: Shortcut[] }) {
  useShortcuts(list);
  return <input aria-label="field" />;
}

const shortcut = (keys: string, run: () => void, more: Partial<Shortcut> = {}): Shortcut => ({ keys, label: keys, group: 'Page', run, ...more });

afterEach(cleanup);

describe('keys', () => {
  it('are named as shortcuts are written', () => {
    const event = (key: string, more = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more });
    expect(key_name(event('k', { ctrlKey: true }))).toBe('mod+k');
    expect(key_name(event('Z', { ctrlKey: true, shiftKey: true }))).toBe('mod+shift+z');
    expect(key_name(event('?', { shiftKey: true }))).toBe('?');
    expect(key_name(event('['))).toBe('[');
    expect(key_name(event('Enter', { shiftKey: true }))).toBe('shift+enter');
  });

  it('are shown as caps', () => {
    expect(key_caps('mod+k')).toEqual(['Ctrl', 'K']);
    expect(key_caps('c q')).toEqual(['c', 'q']);
    expect(key_caps('?')).toEqual(['?']);
  });

  it('run, two after one another too, and not while typing', () => {
    const single = vi.fn();
    const pair = vi.fn();
    const { getByLabelText } = render(<Page list={[shortcut('e', single), shortcut('c q', pair)]} />);
    fireEvent.keyDown(document.body, { key: 'e' });
    expect(single).toHaveBeenCalledTimes(1);
    fireEvent.keyDown(document.body, { key: 'c' });
    fireEvent.keyDown(document.body, { key: 'q' });
    expect(pair).toHaveBeenCalledTimes(1);
    fireEvent.keyDown(getByLabelText('field'), { key: 'e' });
    expect(single).toHaveBeenCalledTimes(1);
  });

  it('reach through fields when they say so', () => {
    const save = vi.fn();
    const { getByLabelText } = render(<Page list={[shortcut('mod+s', save, { in_fields: true })]} />);
    fireEvent.keyDown(getByLabelText('field'), { key: 's', ctrlKey: true });
    expect(save).toHaveBeenCalledTimes(1);
  });

  it('belong to the newest page, and go with it', () => {
    const frame = vi.fn();
    const page = vi.fn();
    render(<Page list={[shortcut('s', frame)]} />);
    const { unmount } = render(<Page list={[shortcut('s', page)]} />);
    fireEvent.keyDown(document.body, { key: 's' });
    expect([frame.mock.calls.length, page.mock.calls.length]).toEqual([0, 1]);
    unmount();
    fireEvent.keyDown(document.body, { key: 's' });
    expect([frame.mock.calls.length, page.mock.calls.length]).toEqual([1, 1]);
  });
});
