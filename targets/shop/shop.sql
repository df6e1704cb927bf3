CREATE TABLE sellers (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE products (
    id int PRIMARY KEY, name text NOT NULL, cents int NOT NULL, about text NOT NULL, seller int NOT NULL REFERENCES sellers
);
CREATE TABLE users (id int PRIMARY KEY, name text UNIQUE NOT NULL, salt text NOT NULL, hash text NOT NULL);
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, buyer int NOT NULL REFERENCES users,
    product int NOT NULL REFERENCES products, many int NOT NULL
);
INSERT INTO sellers SELECT i, 'seller ' || i FROM generate_series(1, 50) AS i;
INSERT INTO products
    SELECT i, 'product ' || i, 100 + i % 900, repeat('a few words about product ' || i || '. ', 10), 1 + i % 50
    FROM generate_series(1, 1000) AS i;
INSERT INTO users SELECT i, 'user' || i, 's' || i, encode(sha256(convert_to('s' || i || 'secret', 'UTF8')), 'hex')
    FROM generate_series(1, 100) AS i;
ANALYZE;
