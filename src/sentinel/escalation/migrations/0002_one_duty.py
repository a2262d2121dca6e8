"""Guarantee L1 in the database: at commit, an open problem has its one duty and a closed one has none.

"At most one" is the primary key; "at least one" needs a deferred trigger, because problem and duty
are written one after the other in the same transaction.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION escalation_one_duty() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wanted bigint;
    problem_state text;
    has_duty boolean;
BEGIN
    IF TG_TABLE_NAME = 'problems_problem' THEN
        wanted := NEW.id;
    ELSIF TG_OP = 'DELETE' THEN
        wanted := OLD.problem_id;
    ELSE
        wanted := NEW.problem_id;
    END IF;
    SELECT state INTO problem_state FROM problems_problem WHERE id = wanted;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT EXISTS (SELECT 1 FROM escalation_duty WHERE problem_id = wanted) INTO has_duty;
    IF problem_state IN ('confirmed', 'ended') AND has_duty THEN
        RAISE EXCEPTION 'problem % is % and must not have a duty', wanted, problem_state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'problem_one_duty';
    END IF;
    IF problem_state NOT IN ('confirmed', 'ended') AND NOT has_duty THEN
        RAISE EXCEPTION 'problem % is % and must have a duty', wanted, problem_state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'problem_one_duty';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER problem_one_duty AFTER INSERT OR UPDATE OF state ON problems_problem
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION escalation_one_duty();
CREATE CONSTRAINT TRIGGER duty_one_duty AFTER INSERT OR DELETE OR UPDATE OF problem_id ON escalation_duty
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION escalation_one_duty();
"""

BACKWARD = """
DROP TRIGGER duty_one_duty ON escalation_duty;
DROP TRIGGER problem_one_duty ON problems_problem;
DROP FUNCTION escalation_one_duty();
"""


class Migration(migrations.Migration):
    dependencies = [("escalation", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
