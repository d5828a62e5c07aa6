//! Work on all cores.

use std::{
    num::NonZero,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
};

/// Does `work` for each number below `count` on as many threads as there are cores; the results in their order. After the
/// first error nothing new is begun.
pub(super) fn all<T: Send, E: Send>(
    count: usize,
    work: impl Fn(usize) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Result<T, E>)>> = Mutex::new(Vec::with_capacity(count));
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..cores.min(count) {
            scope.spawn(|| {
                loop {
                    let job = next.fetch_add(1, Relaxed);
                    if job >= count {
                        break;
                    }
                    let result = work(job);
                    if result.is_err() {
                        next.fetch_max(count, Relaxed);
                    }
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.push((job, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(job, _)| *job);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_and_the_first_error_wins() {
        let squares: Result<Vec<usize>, ()> = all(100, |n| Ok(n * n));
        assert_eq!(squares.unwrap()[99], 9_801);
        let failed = all(100, |n| if n % 10 == 3 { Err(n) } else { Ok(n) });
        assert_eq!(failed.unwrap_err() % 10, 3);
        assert_eq!(all(0, Err::<(), _>), Ok(Vec::new()));
    }
}
