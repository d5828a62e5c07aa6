use super::prepare;

#[test]
fn slices_become_calls() {
    for (source, prepared) in [
        ("{{ a[1:] }}", "{{ a.__slice(1,none) }}"),
        ("{{ a[::-1][0] }}", "{{ a.__slice(none,none,-1)[0] }}"),
        (
            "{{ a[b[1:]:c[':']] }}",
            "{{ a.__slice(b.__slice(1,none),c[':']) }}",
        ),
        ("{% set x = {'a': [1]}[k] %}", "{% set x = {'a': [1]}[k] %}"),
        ("a[1:] {# b[1:] #}", "a[1:] {# b[1:] #}"),
        (
            "{% raw %}{{ a[1:] }}{% endraw %}{{ b[:2] }}",
            "{% raw %}{{ a[1:] }}{% endraw %}{{ b.__slice(none,2) }}",
        ),
        (
            "{{ '}}' ~ a[:x|length] }}",
            "{{ '}}' ~ a.__slice(none,x|length) }}",
        ),
        ("{{ {'a': {'b': 1}} }}[1:]", "{{ {'a': {'b': 1}} }}[1:]"),
    ] {
        assert_eq!(prepare(source), prepared);
    }
}

#[test]
fn generation_blocks_become_scopes() {
    assert_eq!(
        prepare("{%- generation -%}x{% endgeneration %}"),
        "{%- with -%}x{% endwith %}"
    );
}

#[test]
fn broken_sources_are_left_for_the_engine() {
    for source in [
        "{{ a[",
        "{% '",
        "{{ 'a\\",
        "{#",
        "{% raw %}",
        "{{ ] : [ }}",
        "{{",
        "{%",
        "é{{é",
    ] {
        assert_eq!(prepare(source), source);
    }
}

#[test]
fn loops_ask_for_something_to_go_through() {
    for (source, prepared) in [
        ("{% for x in a %}", "{% for x in __iter( a )%}"),
        (
            "{%- for k, v in a['in']|b if k in c -%}",
            "{%- for k, v in __iter( a['in']|b )if k in c -%}",
        ),
        (
            "{% for x in a[1:] recursive %}",
            "{% for x in __iter( a.__slice(1,none) )recursive %}",
        ),
        ("{% for x %}", "{% for x %}"),
    ] {
        assert_eq!(prepare(source), prepared);
    }
}

#[test]
fn sums_with_safe_texts_are_marked() {
    assert_eq!(
        prepare("{{ 'a'|safe + f('+') + x | tojson }}"),
        "{{ __markup( 'a'|safe , f('+') , x | tojson )}}"
    );
    for source in [
        "{{ a + b }}",
        "{{ a|safe }}",
        "{{ a|safe + b if c else d }}",
        "{{ 'safe' + b }}",
    ] {
        assert_eq!(prepare(source), source);
    }
}
