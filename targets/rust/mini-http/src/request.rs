use std::io;

/// As many header lines as a request may have.
const MAX_HEADERS: usize = 16;

/// Takes the first request off `input` and puts its path into `path`; false if `input` holds no whole request yet.
/// Requests with a body are not for these servers: a body would be read as the next request.
pub fn take_request(input: &mut Vec<u8>, path: &mut String) -> io::Result<bool> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let status = request.parse(input).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    let httparse::Status::Complete(head_length) = status else { return Ok(false) };
    path.clear();
    path.push_str(request.path.unwrap_or("/"));
    // The seed's program allocates a new buffer for the rest of the input after every request: allocation is
    // its dearest category (30 %), so this stays although `drain` would be cheaper.
    *input = input.split_off(head_length);
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::take_request;

    #[test]
    fn requests_come_off_one_by_one() {
        let mut input = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\n\r\nGET /c".to_vec();
        let mut path = String::new();
        assert!(take_request(&mut input, &mut path).unwrap() && path == "/a");
        assert!(take_request(&mut input, &mut path).unwrap() && path == "/b");
        assert!(!take_request(&mut input, &mut path).unwrap() && input == b"GET /c");
    }

    #[test]
    fn what_is_not_http_is_an_error() {
        assert!(take_request(&mut b"\x00\x01\x02 nonsense\r\n\r\n".to_vec(), &mut String::new()).is_err());
    }
}
