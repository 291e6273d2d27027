use super::*;

const VERSION: Option<&str> = Some("1");

fn lease(holder: Option<&str>, seconds: Option<i32>) -> LeaseSpec {
    LeaseSpec {
        holder_identity: holder.map(str::to_owned),
        lease_duration_seconds: seconds,
        lease_transitions: Some(4),
        ..LeaseSpec::default()
    }
}

fn wall(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_793_000_000 + seconds).unwrap()
}

fn me() -> Election {
    Election::new("me".to_owned())
}

#[test]
fn a_lease_is_taken_where_nobody_holds_it_or_its_holder_is_silent() {
    let start = Instant::now();
    for (spec, seconds, is_taken, why) in [
        (None, 0, true, "as the chart ships it"),
        (Some(lease(None, None)), 0, true, "nobody"),
        (
            Some(lease(Some(""), Some(15))),
            0,
            true,
            "nobody we know of",
        ),
        (Some(lease(Some(""), Some(1))), 0, true, "released"),
        (Some(lease(Some("me"), Some(15))), 0, true, "ours"),
        (Some(lease(Some("other"), Some(15))), 14, false, "held"),
        (Some(lease(Some("other"), Some(15))), 15, true, "silent"),
        (
            Some(lease(Some("other"), Some(60))),
            59,
            false,
            "for longer",
        ),
        (
            Some(lease(Some("other"), Some(60))),
            60,
            true,
            "long silent",
        ),
        (Some(lease(Some("other"), Some(1))), 14, false, "too short"),
        (
            Some(lease(Some("other"), None)),
            14,
            false,
            "nothing stated",
        ),
        (Some(lease(Some("other"), Some(-1))), 14, false, "nonsense"),
    ] {
        let mut election = me();
        let mut step = election.look(spec.as_ref(), VERSION, start, wall(0));
        let now = start + Duration::from_secs(seconds);
        if now > start {
            assert_eq!(step, Step::Wait, "{why}");
            step = election.look(spec.as_ref(), VERSION, now, wall(0));
        }
        assert_eq!(matches!(step, Step::Write(_)), is_taken, "{why}");
        assert_eq!(election.may_hold(), is_taken, "{why}");
        assert_eq!(election.until(now), None, "nothing is stored yet: {why}");
    }
}

#[test]
fn a_lease_that_was_emptied_is_left_to_whoever_may_still_lead() {
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let held = lease(Some("other"), Some(15));
    for (found, after, is_taken, why) in [
        (None, 0, false, "made anew"),
        (None, 14, false, "made anew, and its leader may live"),
        (None, 15, true, "made anew, for long enough"),
        (Some(lease(None, None)), 14, false, "without a holder"),
        (Some(lease(Some(""), Some(15))), 14, false, "by hand"),
        (Some(lease(Some(""), Some(15))), 15, true, "long ago"),
        (Some(lease(Some(""), Some(60))), 59, false, "for longer"),
        (Some(lease(Some(""), Some(1))), 0, true, "by its holder"),
    ] {
        let mut election = me();
        election.look(Some(&held), VERSION, at(0), wall(0));
        election.look(found.as_ref(), VERSION, at(60), wall(0));
        let step = election.look(found.as_ref(), VERSION, at(60 + after), wall(0));
        assert_eq!(matches!(step, Step::Write(_)), is_taken, "{why}");
        assert_eq!(election.may_hold(), is_taken, "{why}");
    }

    // It may have been held in between.
    let mut election = me();
    election.look(Some(&held), VERSION, at(0), wall(0));
    for (version, seconds, is_taken) in [("2", 60, false), ("4", 75, false), ("4", 90, true)] {
        let step = election.look(None, Some(version), at(seconds), wall(0));
        assert_eq!(matches!(step, Step::Write(_)), is_taken, "{version}");
    }

    // A free one that we failed to take may have had a leader since.
    let mut election = me();
    assert!(matches!(
        election.look(None, VERSION, at(0), wall(0)),
        Step::Write(_)
    ));
    assert_eq!(election.look(None, VERSION, at(14), wall(0)), Step::Wait);
}

#[test]
fn a_holder_lives_as_long_as_it_changes_what_it_wrote() {
    let mut election = me();
    let start = Instant::now();
    for round in 0..20_u32 {
        let spec = LeaseSpec {
            renew_time: Some(MicroTime(wall(-3600 + i64::from(round % 2)))),
            ..lease(Some("other"), Some(15))
        };
        let now = start + Duration::from_secs(14) * round;
        let step = election.look(Some(&spec), VERSION, now, wall(0));
        assert_eq!(step, Step::Wait, "an hour behind, and alive: {round}");
    }
}

#[test]
fn taking_counts_a_transition_and_renewing_does_not() {
    let start = Instant::now();
    let before = LeaseSpec {
        preferred_holder: Some("somebody".to_owned()),
        ..lease(None, Some(60))
    };
    let mut election = me();
    let Step::Write(taken) = election.look(Some(&before), VERSION, start, wall(0)) else {
        panic!("it is free");
    };
    let expected = LeaseSpec {
        holder_identity: Some("me".to_owned()),
        lease_duration_seconds: Some(15),
        acquire_time: Some(MicroTime(wall(0))),
        renew_time: Some(MicroTime(wall(0))),
        lease_transitions: Some(5),
        ..before
    };
    assert_eq!(taken, expected);
    let step = election.look(Some(&taken), VERSION, start, wall(2));
    let renewed = LeaseSpec {
        renew_time: Some(MicroTime(wall(2))),
        ..taken
    };
    assert_eq!(step, Step::Write(renewed));
}

#[test]
fn a_term_ends_ten_seconds_after_the_write_was_sent() {
    let (mut election, sent) = (me(), Instant::now());
    let at = |seconds: f64| sent + Duration::from_secs_f64(seconds);
    let ours = lease(Some("me"), Some(15));
    election.stored(Some(&ours), sent, at(4.0));
    assert_eq!(election.until(at(9.9)), Some(at(10.0)));
    assert_eq!(election.until(at(10.0)), None);
    assert_eq!(election.next(at(4.0), 0.5), at(6.0));
    assert_eq!(election.next(at(9.5), 0.5), at(10.0), "to tell its end");

    election.stored(Some(&ours), sent, at(11.0));
    assert_eq!(election.until(at(11.0)), None, "heard of too late");
}

#[test]
fn who_finds_the_lease_gone_to_another_or_emptied_leads_no_more() {
    let now = Instant::now();
    for (found, may_hold) in [
        (lease(Some("other"), Some(15)), false),
        (lease(None, None), true),
    ] {
        let mut election = me();
        election.look(None, VERSION, now, wall(0));
        election.stored(Some(&lease(Some("me"), Some(15))), now, now);
        assert!(election.until(now).is_some());
        election.look(Some(&found), VERSION, now, wall(0));
        assert_eq!(election.until(now), None, "{found:?}");
        assert_eq!(election.may_hold(), may_hold, "{found:?}");
    }
}

#[test]
fn only_our_own_lease_is_released() {
    let election = me();
    let ours = LeaseSpec {
        acquire_time: Some(MicroTime(wall(0))),
        ..lease(Some("me"), Some(15))
    };
    let expected = LeaseSpec {
        holder_identity: Some(String::new()),
        lease_duration_seconds: Some(1),
        renew_time: Some(MicroTime(wall(3))),
        ..ours.clone()
    };
    assert_eq!(election.released(Some(&ours), wall(3)), Some(expected));
    for other in [
        None,
        Some(lease(None, None)),
        Some(lease(Some("other"), Some(15))),
    ] {
        assert_eq!(
            election.released(other.as_ref(), wall(3)),
            None,
            "{other:?}"
        );
    }
}
