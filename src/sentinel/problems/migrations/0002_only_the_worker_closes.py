"""Guarantee L6 in the database: ``confirmed`` needs the worker's own yes to a proposal of this problem."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION problems_only_the_worker_closes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'confirmed' AND NOT EXISTS (
        SELECT 1 FROM problems_confirmation c
        JOIN problems_proposal p ON p.id = c.proposal_id
        WHERE c.id = NEW.closing_confirmation_id AND p.problem_id = NEW.id
          AND c.verdict = 'yes' AND c.objected_at IS NULL
          AND (c.how <> 'telephone' OR EXISTS (
              SELECT 1 FROM problems_call k
              WHERE k.id = c.call_id AND k.problem_id = NEW.id AND k.outcome = 'reached'))
    ) THEN
        RAISE EXCEPTION 'problem % can only be confirmed by its worker''s own yes', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'problem_only_the_worker_closes';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER problem_only_the_worker_closes BEFORE INSERT OR UPDATE ON problems_problem
    FOR EACH ROW EXECUTE FUNCTION problems_only_the_worker_closes();
"""

BACKWARD = """
DROP TRIGGER problem_only_the_worker_closes ON problems_problem;
DROP FUNCTION problems_only_the_worker_closes();
"""


class Migration(migrations.Migration):
    dependencies = [("problems", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
