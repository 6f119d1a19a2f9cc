"""Does a gain survive: true arithmetic, a calculator, other wordings, another template?"""
