from dataflywheel.recipe.walk import Walk


class Wheel(Walk):
    pass
