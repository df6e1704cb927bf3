use std::cell::RefCell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

struct CachedDate {
    text: String,
    second: u64,
}

thread_local! {
    static CACHED: RefCell<CachedDate> = const { RefCell::new(CachedDate { text: String::new(), second: 0 }) };
}

/// Calls `use_it` with the value of a Date header, which is rendered anew only when the second has changed.
pub fn with_date<R>(use_it: impl FnOnce(&str) -> R) -> R {
    let second = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    CACHED.with_borrow_mut(|cached| {
        if cached.second != second {
            cached.second = second;
            cached.text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(second));
        }
        use_it(&cached.text)
    })
}
