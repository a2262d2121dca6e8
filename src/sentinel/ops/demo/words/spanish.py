"""Spanish, in Valencia and Chicago."""

from sentinel.ops.demo.words.phrases import ANNOYING, HINDERS, STOPPED, Phrases, Trouble

SPANISH = Phrases(
    troubles=(
        Trouble(
            "La impresora del almacén se atasca con los albaranes y los camiones esperan en la puerta.",
            HINDERS,
            "Un técnico cambia los rodillos",
            "Se cambiaron los rodillos y salieron 300 albaranes sin atascos.",
            "Los rodillos estaban gastados y nadie recibía el aviso de mantenimiento.",
        ),
        Trouble(
            "No puedo escanear al correo desde el cambio de contraseña.",
            HINDERS,
            "Configuramos de nuevo la cuenta del escáner",
            "El escáner tiene su propia cuenta y las pruebas llegaron bien.",
            "El escáner usaba la contraseña de una persona que la cambió.",
        ),
        Trouble(
            "La máquina de etiquetas no enciende. Estamos parados.",
            STOPPED,
            "Llevamos una máquina de repuesto",
            "La máquina de repuesto está en marcha con sus plantillas.",
            "Falló la fuente de alimentación.",
        ),
        Trouble(
            "El tóner llega siempre tarde, esta semana imprimimos en gris.",
            HINDERS,
            "Dejamos un juego de reserva",
            "Hay un juego de reserva en el armario y el pedido sale antes.",
            "El aviso de pedido se hacía al 5 % y el transporte tarda cuatro días.",
        ),
        Trouble(
            "El técnico vino a la hora de comer y no había nadie.",
            ANNOYING,
            "Acordamos la hora con usted",
            "La visita se hizo a las diez, como pidió, y su horario consta en la ficha.",
            "La ficha no decía que cierran de dos a tres y media.",
        ),
        Trouble(
            "Los colores salen verdosos desde la última revisión.",
            ANNOYING,
            "Calibramos la máquina",
            "La máquina está calibrada y el logotipo sale bien.",
            "En la revisión no se repitió la calibración.",
        ),
    ),
    comments=("Todo bien. La bandeja dos hace un ruido raro, pero imprime.",),
    suggestions=("Estaría bien poder pedir el tóner desde la propia máquina.",),
    praise=("¡Muy rápidos! El técnico vino el mismo día.", "Por fin alguien pregunta. Gracias."),
    answers=(
        "Muchas gracias por avisarnos. Me ocupo yo y le cuento en qué queda.",
        "¡Gracias! Se lo paso al equipo, se alegrarán.",
    ),
    moved=("La pieza se retrasó en el transporte; llega dos días más tarde.",),
    not_yet=("Todavía no, esta mañana volvió a pasar.",),
    solved=("Sí, ya funciona. ¡Gracias!", "Solucionado."),
    call_when=("por la mañana", "después de las cuatro"),
    again="Ha vuelto a pasar.",
    manager="Quisiera hablar con la persona responsable, por favor.",
)
