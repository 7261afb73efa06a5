import { MantineProvider } from '@mantine/core';
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react';
import { type ReactElement, useState } from 'react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { flatten, type PickerNode } from './collection_source';
import { DataTable } from './DataTable';
import { EditableText } from './EditableText';
import { avatar_colour, initials } from './Hexagon';
import { pieces } from './Highlight';
import { ConfirmDialog } from './Dialog';

const show = (element: ReactElement) => render(<MantineProvider env="test">{element}</MantineProvider>);
afterEach(cleanup);

describe('a dialog that asks for the name', () => {
  it('does nothing until the very name is typed', async () => {
    const run = vi.fn();
    show(<ConfirmDialog opened onClose={() => {}} title="Delete?" confirm="Delete it" typed_name="Shop" onConfirm={run} />);
    const button = screen.getByRole('button', { name: 'Delete it' });
    expect(button).toBeDisabled();
    fireEvent.change(screen.getByRole('textbox'), { target: { value: 'shop' } });
    expect(button).toBeDisabled();
    fireEvent.change(screen.getByRole('textbox'), { target: { value: 'Shop' } });
    fireEvent.click(button);
    await waitFor(() => expect(run).toHaveBeenCalledTimes(1));
  });

  it('stays open and says why when it failed', async () => {
    const close = vi.fn();
    show(<ConfirmDialog opened onClose={close} title="Delete?" confirm="Delete it" onConfirm={() => Promise.reject(new Error('It is in use.'))} />);
    fireEvent.click(screen.getByRole('button', { name: 'Delete it' }));
    expect(await screen.findByText('It is in use.')).toBeInTheDocument();
    expect(close).not.toHaveBeenCalled();
  });
});

describe('a dialog that goes away', () => {
  it('hands the focus back to what opened it, also when it is taken off as a whole', async () => {
    function Page() {
      const [open, set_open] = useState(false);
      return (
        <>
          <button type="button" onClick={() => set_open(true)}>
            Open
          </button>
          {open && <ConfirmDialog opened onClose={() => set_open(false)} title="Sure?" confirm="Do it" onConfirm={() => {}} />}
        </>
      );
    }
    show(<Page />);
    const opener = screen.getByRole('button', { name: 'Open' });
    opener.focus();
    fireEvent.click(opener);
    fireEvent.click(await screen.findByRole('button', { name: 'Cancel' }));
    await waitFor(() => expect(document.activeElement).toBe(opener));
  });
});

describe('text that can be edited in place', () => {
  const open = () => {
    fireEvent.click(screen.getByRole('button'));
    return screen.getByRole('textbox');
  };

  it('saves on Enter and when left, once', async () => {
    const save = vi.fn();
    show(<EditableText value="Sales" label="Name" onSave={save} />);
    const field = open();
    fireEvent.change(field, { target: { value: ' Sales team ' } });
    fireEvent.keyDown(field, { key: 'Enter' });
    fireEvent.blur(field);
    await waitFor(() => expect(save).toHaveBeenCalledWith('Sales team'));
    expect(save).toHaveBeenCalledTimes(1);
  });

  it('takes back on Escape and ignores an empty name', () => {
    const save = vi.fn();
    show(<EditableText value="Sales" label="Name" required onSave={save} />);
    let field = open();
    fireEvent.change(field, { target: { value: 'x' } });
    fireEvent.keyDown(field, { key: 'Escape' });
    fireEvent.blur(field);
    field = open();
    fireEvent.change(field, { target: { value: '  ' } });
    fireEvent.blur(field);
    expect(save).not.toHaveBeenCalled();
    expect(screen.getByText('Sales')).toBeInTheDocument();
  });
});

describe('a table', () => {
  it('sorts numbers as numbers and keeps empty ones last, both ways', () => {
    const rows = [{ id: 1, size: 10 }, { id: 2, size: 9 }, { id: 3, size: null }, { id: 4, size: 100 }];
    show(<DataTable label="Sizes" rows={rows} row_key={(row) => row.id} columns={[{ key: 'size', title: 'Size', value: (row) => row.size, render: (row) => `#${row.id}` }]} />);
    const order = () => screen.getAllByRole('cell').map((cell) => cell.textContent);
    fireEvent.click(screen.getByRole('button', { name: 'Size' }));
    expect(order()).toEqual(['#2', '#1', '#4', '#3']);
    fireEvent.click(screen.getByRole('button', { name: 'Size' }));
    expect(order()).toEqual(['#4', '#1', '#2', '#3']);
    expect(screen.getByRole('columnheader')).toHaveAttribute('aria-sort', 'descending');
  });
});

describe('small words', () => {
  it('has initials for names and addresses', () => {
    expect([initials('Mara Lindqvist'), initials('ines@fernhill.example'), initials('Cher'), initials('Ana de la Cruz')]).toEqual(['ML', 'IE', 'CH', 'AC']);
  });

  it('gives a person the same colour everywhere', () => {
    expect(avatar_colour(6)).toBe(avatar_colour(6));
    expect(avatar_colour(1)).toBe('var(--avatar-1)');
    expect(avatar_colour('x')).toMatch(/^var\(--avatar-[1-5]\)$/);
  });

  it('lights every word that was looked for, taking signs as signs', () => {
    expect(pieces('Weekly review (rev.)', 'REV.').filter((piece) => piece.hit).map((piece) => piece.text)).toEqual(['rev.']);
    expect(pieces('abc', ' ')).toEqual([{ text: 'abc', hit: false }]);
    expect(pieces('Sales by month', 'month sa').filter((piece) => piece.hit)).toHaveLength(2);
  });

  it('finds collections at any depth, with the way to them', () => {
    const leaf: PickerNode = { id: 7, name: 'Weekly', children: [] };
    const tree: PickerNode[] = [{ id: null, name: 'All', children: [{ id: 5, name: 'Sales', children: [leaf] }] }];
    expect(flatten(tree).map((row) => row.depth)).toEqual([0, 1, 2]);
    expect(flatten(tree, 'week')).toEqual([{ node: leaf, depth: 2, path: ['All', 'Sales'] }]);
  });
});
