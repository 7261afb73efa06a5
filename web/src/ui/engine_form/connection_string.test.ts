import { describe, expect, it } from 'vitest';
import { details_of_connection_string } from './connection_string';
import type { FormField } from './fields';

const fields: FormField[] = [
  { name: 'host', type: 'string' },
  { name: 'port', type: 'integer' },
  { name: 'dbname', type: 'string' },
  { name: 'user', type: 'string' },
  { name: 'password', type: 'password' },
  { name: 'ssl', type: 'boolean' },
  { name: 'ssl-mode', type: 'select' },
  { name: 'additional-options', type: 'string' },
];
const of = (text: string, engine = 'mysql') => details_of_connection_string(text, engine, fields);

describe('a pasted connection string', () => {
  it('fills the fields, with what is escaped in them', () => {
    expect(of('mysql://ann:p%40ss%2Fword@db.example.com:3307/shop')).toEqual({ host: 'db.example.com', port: 3307, dbname: 'shop', user: 'ann', password: 'p@ss/word' });
    expect(of('  mariadb://db/shop ')).toEqual({ host: 'db', dbname: 'shop' });
    expect(of('mysql://db:80/shop')).toEqual({ host: 'db', port: 80, dbname: 'shop' });
    expect(of('postgres://ann@[::1]:5432/shop', 'postgres')).toEqual({ host: '::1', port: 5432, dbname: 'shop', user: 'ann' });
  });

  it('takes the person and the encryption from the options, and keeps the others', () => {
    expect(of('jdbc:mysql://db:3306/shop?user=ann&password=x&useSSL=true&useCompression=true')).toEqual({
      host: 'db',
      port: 3306,
      dbname: 'shop',
      user: 'ann',
      password: 'x',
      ssl: true,
      'additional-options': 'useCompression=true',
    });
    expect(of('postgresql://db/shop?sslmode=verify-full', 'postgres')).toEqual({ host: 'db', dbname: 'shop', ssl: true, 'ssl-mode': 'verify-full' });
    expect(of('postgresql://db/shop?sslmode=disable', 'postgres')).toEqual({ host: 'db', dbname: 'shop', ssl: false });
    expect(of('mysql://db/shop?ssl-mode=VERIFY_IDENTITY')).toEqual({ host: 'db', dbname: 'shop', ssl: true, 'ssl-mode': 'verify-full' });
  });

  it('reads words as well', () => {
    expect(of("host=db port=5432 dbname=shop user=ann password='it\\'s a secret' sslmode=require", 'postgres')).toEqual({
      host: 'db',
      port: 5432,
      dbname: 'shop',
      user: 'ann',
      password: "it's a secret",
      ssl: true,
      'ssl-mode': 'require',
    });
  });

  it('leaves alone what is none, or is of another kind of database', () => {
    expect(of('db.example.com')).toBeUndefined();
    expect(of('a=b')).toBeUndefined();
    expect(of('postgres://db/shop')).toBeUndefined();
    expect(of('https://db.example.com/')).toBeUndefined();
    expect(of('mysql://')).toBeUndefined();
  });
});
