use target_cli::{Body, EQUAL_BODY, EQUAL_SERVER};

use crate::with_date;

const SEED_BODY: &str = "Welcome to May http demo\n";
const NOT_FOUND: &str = "Cannot find page\n";

/// The whole response as one string, formatted anew for every request.
pub fn response(body: Body, path: &str) -> String {
    match body {
        Body::Seed => seed_response(if path == "/" { SEED_BODY } else { NOT_FOUND }),
        Body::Equal => with_date(equal_response),
    }
}

/// 93 bytes for `/`. The date is a fixed text, as in the seed's program: it never asks the clock.
fn seed_response(text: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nServer: May\r\nContent-Length: {}\r\nDate: 1-1-2000\r\n\r\n{}", text.len(), text)
}

fn equal_response(date: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nServer: {EQUAL_SERVER}\r\nContent-Length: {}\r\nContent-Type: text/plain\r\nDate: {date}\r\n\r\n{EQUAL_BODY}",
        EQUAL_BODY.len(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_have_the_lengths_that_identify_them() {
        assert_eq!(response(Body::Seed, "/").len(), 93);
        assert_eq!(response(Body::Equal, "/").len(), 126);
    }
}
