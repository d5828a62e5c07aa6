//! What has been written of a call's choices, and what of them is left to ask for.

use gateway_proto::engines::{TokenCall, TokenEvent, TokenFinish};

use crate::ErrorKind;

/// Tokens that show that an answer has left the place where an engine died: the next death is a new one. One or two may
/// come of the prompt alone, before what killed the engine is computed again.
const PROGRESS: usize = 8;

/// One choice so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Written {
    pub(super) ids: Vec<u32>,
    pub(super) is_finished: bool,
    /// Which of the stream's calls writes it.
    pub(super) part: usize,
    /// How often it was taken up.
    pub(super) resumed: u32,
    /// Engines that died on it at the place where it stands.
    pub(super) deaths: u32,
    /// Tokens that were there when its call began.
    begun_with: usize,
}

impl Written {
    /// Nothing yet, of an answer that engines may have `died` on.
    pub(super) fn nothing(died: u32) -> Self {
        Self {
            deaths: died,
            ..Self::default()
        }
    }

    pub(super) fn note(&mut self, event: &TokenEvent) {
        self.ids.extend_from_slice(&event.ids);
        self.is_finished |= event.finish.is_some();
    }

    /// How it ends where nothing of it is left to ask for.
    pub(super) fn ending(&self, call: &TokenCall) -> Option<TokenFinish> {
        let count = self.ids.len() as u64;
        if count >= call.max_tokens {
            return Some(TokenFinish::Length);
        }
        let last = self.ids.last()?;
        let ends = call.sampling.stop_token_ids.contains(last)
            && count >= call.sampling.min_tokens.unwrap_or(0);
        ends.then_some(TokenFinish::Stop { token: Some(*last) })
    }

    /// The deaths that count once an engine has failed it like this.
    pub(super) fn deaths_with(&self, kind: ErrorKind) -> u32 {
        let has_moved = self.ids.len() >= self.begun_with + PROGRESS;
        let before = if has_moved { 0 } else { self.deaths };
        before + u32::from(is_death(kind))
    }

    /// It is taken up by the stream's call `part`.
    pub(super) fn taken_up(&mut self, part: usize, deaths: u32) {
        self.part = part;
        self.deaths = deaths;
        self.resumed += 1;
        self.begun_with = self.ids.len();
    }

    /// All of it is forgotten, to be written anew.
    pub(super) fn forget(&mut self) {
        self.ids.clear();
        self.is_finished = false;
    }

    /// The call that goes on with it, as the choice `number` of `call`. Engines seed the choices of a call by their number.
    pub(super) fn rest(&self, call: &TokenCall, number: u32) -> TokenCall {
        let written = self.ids.len() as u64;
        let mut rest = call.clone();
        rest.prompt = [&*call.prompt, &*self.ids].concat().into();
        rest.max_tokens = call.max_tokens.saturating_sub(written);
        let least = call.sampling.min_tokens;
        rest.sampling.min_tokens = least
            .map(|least| least.saturating_sub(written))
            .filter(|least| *least > 0);
        rest.sampling.n = call.sampling.n.map(|_| 1);
        let seed = call.sampling.seed;
        rest.sampling.seed = seed.map(|seed| seed.wrapping_add(i64::from(number)));
        rest
    }
}

/// Whether the engine itself may have died of the request.
fn is_death(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Closed | ErrorKind::Broken | ErrorKind::EngineFailed
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(ids: &[u32]) -> Written {
        Written {
            ids: ids.to_vec(),
            ..Written::default()
        }
    }

    fn call() -> TokenCall {
        let mut call = TokenCall::new("m", [1, 2].as_slice(), 5);
        call.sampling.n = Some(3);
        call.sampling.seed = Some(40);
        call.sampling.min_tokens = Some(2);
        call.sampling.stop_token_ids = vec![9];
        call
    }

    #[test]
    fn what_is_left_is_asked_for() {
        let rest = written(&[7]).rest(&call(), 2);
        assert_eq!(&*rest.prompt, [1, 2, 7]);
        assert_eq!((rest.max_tokens, rest.sampling.min_tokens), (4, Some(1)));
        assert_eq!((rest.sampling.n, rest.sampling.seed), (Some(1), Some(42)));
        let rest = written(&[7, 7]).rest(&call(), 0);
        assert_eq!(rest.sampling.min_tokens, None);
    }

    #[test]
    fn a_choice_with_all_its_tokens_is_over() {
        let ending = |ids: &[u32]| written(ids).ending(&call());
        assert_eq!(ending(&[]), None);
        assert_eq!(ending(&[7, 7, 7, 7]), None);
        assert_eq!(ending(&[7, 7, 7, 7, 7]), Some(TokenFinish::Length));
        let stop = TokenFinish::Stop { token: Some(9) };
        assert_eq!(ending(&[7, 9]), Some(stop));
        assert_eq!(ending(&[9]), None, "too early to be the end");
    }

    #[test]
    fn deaths_count_at_one_place() {
        let mut choice = written(&[7]);
        assert_eq!(choice.deaths_with(ErrorKind::Timeout), 0);
        assert_eq!(choice.deaths_with(ErrorKind::Broken), 1);
        choice.taken_up(1, 1);
        choice.ids.push(7);
        assert_eq!(choice.deaths_with(ErrorKind::EngineFailed), 2);
        choice.ids.extend([7; PROGRESS]);
        assert_eq!(choice.deaths_with(ErrorKind::Closed), 1);
    }
}
